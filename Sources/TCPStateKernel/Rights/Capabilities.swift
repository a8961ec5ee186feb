// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// The capabilities of the calling thread. Threads that it starts later inherit them.
public enum Capabilities {
  struct Sets {
    var effective: CapabilitySet
    var permitted: CapabilitySet
    var inheritable: CapabilitySet
  }

  /// The missing ones of those that tracing needs. CAP_SYS_ADMIN includes both (capabilities(7)).
  public static var missingForTracing: [Capability] {
    guard let effective = try? current().effective, !effective.contains(.sysAdmin) else { return [] }
    return [.bpf, .perfmon].filter { !effective.contains($0) }
  }

  /// The permitted set: those in effect, and those that can be raised. Empty if it can't be read.
  static var permitted: CapabilitySet { (try? current().permitted) ?? [] }

  /// All sets; `nil` if they can't be read.
  static var held: Sets? { try? current() }

  /// Gives up everything except `kept` for good, and lowers these except `inEffect`.
  ///
  /// Programs started from here get none: the inheritable set is empty, and so is the ambient one. (A program that root
  /// runs has root's again, as always.) Other processes of the same user can't take over this one, and it leaves no
  /// core dump.
  static func drop(keeping kept: CapabilitySet, inEffect: CapabilitySet = []) throws(KernelError) {
    let permitted = try current().permitted.intersection(kept)
    try set(Sets(effective: inEffect.intersection(permitted), permitted: permitted, inheritable: []))
    _ = tcpstate_forbid_dumps()
  }

  /// Gives up all of them, as far as the kernel lets it.
  public static func dropAll() { try? drop(keeping: []) }

  /// Raises what is permitted of `wanted` during a call.
  static func raised<Result: ~Copyable, Failure: Error>(
    _ wanted: CapabilitySet, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let before = try? current(), !before.permitted.intersection(wanted).isSubset(of: before.effective)
    else { return try body() }
    var during = before
    during.effective.formUnion(before.permitted.intersection(wanted))
    // If this fails, try anyway: the call that needs them reports it.
    try? set(during)
    defer { try? set(before) }
    return try body()
  }

  // MARK: - capget(2), capset(2)

  private static func current() throws(KernelError) -> Sets {
    var header = Self.header
    var data = __user_cap_data_struct()
    var high = __user_cap_data_struct()
    let code = withPair(&data, &high) { capget(&header, $0) }
    guard code == 0 else { throw KernelError("read the capabilities", errno: errno) }
    return Sets(
      effective: join(data.effective, high.effective), permitted: join(data.permitted, high.permitted),
      inheritable: join(data.inheritable, high.inheritable))
  }

  private static func set(_ sets: Sets) throws(KernelError) {
    var header = Self.header
    var low = __user_cap_data_struct(
      effective: UInt32(truncatingIfNeeded: sets.effective.rawValue),
      permitted: UInt32(truncatingIfNeeded: sets.permitted.rawValue),
      inheritable: UInt32(truncatingIfNeeded: sets.inheritable.rawValue))
    var high = __user_cap_data_struct(
      effective: UInt32(sets.effective.rawValue >> 32), permitted: UInt32(sets.permitted.rawValue >> 32),
      inheritable: UInt32(sets.inheritable.rawValue >> 32))
    let code = withPair(&low, &high) { capset(&header, $0) }
    guard code == 0 else { throw KernelError("give up capabilities", errno: errno) }
  }

  private static var header: __user_cap_header_struct {
    __user_cap_header_struct(version: UInt32(TCPSTATE_CAPABILITY_VERSION), pid: 0)
  }

  private static func join(_ low: UInt32, _ high: UInt32) -> CapabilitySet {
    CapabilitySet(rawValue: UInt64(high) << 32 | UInt64(low))
  }

  /// The two halves next to each other, as both calls expect them.
  private static func withPair(
    _ low: inout __user_cap_data_struct, _ high: inout __user_cap_data_struct,
    _ body: (UnsafeMutablePointer<__user_cap_data_struct>) -> Int32
  ) -> Int32 {
    withUnsafeTemporaryAllocation(of: __user_cap_data_struct.self, capacity: 2) { pair in
      pair.initializeElement(at: 0, to: low)
      pair.initializeElement(at: 1, to: high)
      defer { (low, high) = (pair[0], pair[1]) }
      guard let base = pair.baseAddress else { return -1 }  // never: the capacity isn't 0
      return body(base)
    }
  }
}
