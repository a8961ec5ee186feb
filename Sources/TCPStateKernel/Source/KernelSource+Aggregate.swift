// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CTCPStateEvent
import Glibc
import TCPStateCore

/// Stays that the kernel side counts, without an event for each (`KernelConfiguration.aggregates`).
extension KernelSource {
  /// What has been counted since `attach()`. Reading doesn't stop the counting, so a transition during it may be in one
  /// number and not yet in another.
  public func readAggregate() throws(KernelError) -> AggregatedStays {
    var result = AggregatedStays()
    let cpus = Int(libbpf_num_possible_cpus())
    guard cpus > 0 else { throw KernelError("count the CPUs", errno: Int32(-cpus)) }
    let stays = UnsafeMutablePointer<tcpstate_stays>.allocate(capacity: cpus)
    defer { stays.deallocate() }
    for state in 0..<TCPState.arraySize {
      try read(map("stays"), key: UInt32(state), into: stays)
      for cpu in 0..<cpus { result.add(stays + cpu, state: state) }
    }
    let tallies = UnsafeMutablePointer<tcpstate_tally>.allocate(capacity: cpus)
    defer { tallies.deallocate() }
    try read(map("tallies"), key: 0, into: tallies)
    for cpu in 0..<cpus { result.add(tallies + cpu) }
    return result
  }

  /// The values of all CPUs. They are multiples of 8 bytes, so they follow each other without a gap.
  private func read(_ map: Int32, key: UInt32, into values: UnsafeMutableRawPointer) throws(KernelError) {
    var key = key
    guard bpf_map_lookup_elem(map, &key, values) == 0
    else { throw KernelError("read what was counted in the kernel", errno: errno) }
  }
}
