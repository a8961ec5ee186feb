// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateKernel

/// How much CPU time the owners of sockets had used when these entered a state that is watched.
struct CPUBefore {
  private let limit: Int
  private var byConnection: [UInt64: (pid: UInt32, cpu: UInt64)] = [:]
  /// Read in this turn, so that a process with many sockets costs no more than one with a single one.
  private var byProcess: [UInt32: UInt64?] = [:]

  /// - Parameter limit: the most sockets that are remembered; of others it is unknown.
  init(limit: Int) {
    self.limit = limit
  }

  subscript(connection: UInt64) -> (pid: UInt32, cpu: UInt64)? { byConnection[connection] }

  mutating func beginTurn() { byProcess.removeAll(keepingCapacity: true) }

  mutating func take(_ row: borrowing Transition, _ states: Set<TCPState>) {
    guard row.old != row.new else { return }
    let connection = row.connection
    guard row.source == .event, states.contains(row.new), row.new != .timeWait, let pid = row.ownerPID,
      byConnection.count < limit || byConnection[connection] != nil
    else { return forget(connection) }
    let cpu = byProcess[pid] ?? ProcessReader.cpu(of: pid)
    byProcess[pid] = .some(cpu)
    byConnection[connection] = cpu.map { (pid, $0) }
  }

  mutating func forget(_ connection: UInt64) { byConnection[connection] = nil }
}
