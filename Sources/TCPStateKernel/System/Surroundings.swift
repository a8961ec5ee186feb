// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// The namespaces that this process is in, compared with those that the machine began with (namespaces(7)), and what
/// follows for a tracer.
///
/// Records of the kernel side have the initial namespaces' process ids and clock, and all network namespaces' sockets.
/// Iterators and /proc show only the processes of a PID namespace.
public struct Surroundings: Sendable, Equatable {
  public enum Kind: String, CaseIterable, Sendable {
    case pid, time, net, user, cgroup

    /// The inode of the initial namespace (include/uapi/linux/nsfs.h). That of `net` is fixed since Linux 6.18 only.
    var initialInode: UInt32 {
      switch self {
      case .net: 0xefff_fff9
      case .time: 0xefff_fffa
      case .cgroup: 0xefff_fffb
      case .pid: 0xefff_fffc
      case .user: 0xefff_fffd
      }
    }

    /// The request of ioctl(2) for a process's namespace of this kind (include/uapi/linux/pidfd.h).
    fileprivate var request: Int32 {
      switch self {
      case .cgroup: 1
      case .net: 4
      case .pid: 5
      case .time: 7
      case .user: 9
      }
    }
  }

  /// Which namespace of a kind this process is in.
  public enum Place: Sendable, Equatable {
    case initial
    /// Another one, by its inode.
    case other(UInt32)
    case unknown
  }

  /// What can't be seen from here, or only in part.
  public enum Limit: Sendable, Hashable, CaseIterable {
    /// There is no /proc: neither other processes nor their namespaces can be found.
    case noProc
    /// Processes outside this PID namespace have no ids here. What they hold, and the network namespaces that only they
    /// are in, isn't found.
    case processesOutside
    /// It isn't known which PID namespace this is.
    case processesUnknown
    /// The monotonic clock differs from the kernel's by an offset that can't be read.
    case clockUnknown
    /// Cgroups outside this cgroup namespace have no paths here.
    case cgroupsOutside
  }

  /// Whether /proc is mounted.
  public let hasProc: Bool
  /// What this process's CLOCK_MONOTONIC is ahead of the kernel's, in nanoseconds; `nil` if that can't be read.
  public let clockOffset: Int64?
  private var inodes: [Kind: UInt32] = [:]

  /// Those of this process, as of its start.
  public static let current = Surroundings(
    hasProc: access("/proc/self/stat", F_OK) == 0, offsets: readOffsets(), inodeOf: ownInode)

  /// - Parameters:
  ///   - offsets: the text of /proc/self/timens_offsets.
  ///   - inodeOf: returns the inode of this process's namespace of a kind; `nil` if it isn't known.
  init(hasProc: Bool, offsets: String?, inodeOf: (Kind) -> UInt32?) {
    self.hasProc = hasProc
    for kind in Kind.allCases { inodes[kind] = inodeOf(kind) }
    // A kernel without time namespaces has none of its own.
    let isInitial = inodes[.time].map { $0 == Kind.time.initialInode } ?? hasProc
    clockOffset = isInitial ? 0 : offsets.flatMap { Self.monotonicOffset($0) }
  }

  public func place(_ kind: Kind) -> Place {
    guard let inode = inodes[kind] else { return .unknown }
    return inode == kind.initialInode ? .initial : .other(inode)
  }

  /// What can't be seen from here.
  public var limits: Set<Limit> {
    var limits: Set<Limit> = []
    if !hasProc { limits.insert(.noProc) }
    switch place(.pid) {
    case .initial: break
    case .other: limits.insert(.processesOutside)
    case .unknown: limits.insert(.processesUnknown)
    }
    if clockOffset == nil { limits.insert(.clockUnknown) }
    if case .other = place(.cgroup) { limits.insert(.cgroupsOutside) }
    return limits
  }

  /// Whether network namespaces may exist that aren't found from here, so that one that isn't found may exist as well.
  public var hidesNamespaces: Bool { !limits.isDisjoint(with: [.noProc, .processesOutside, .processesUnknown]) }

  /// The PID namespace whose ids are shown, if that isn't the initial one.
  var pidNamespace: UInt32? {
    if case .other(let inode) = place(.pid) { inode } else { nil }
  }

  /// The offset of CLOCK_MONOTONIC in nanoseconds, from lines such as `monotonic    86400    500` (time_namespaces(7)).
  static func monotonicOffset(_ text: String) -> Int64? {
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      // Kernels before 5.11 write the clock's number.
      guard words.count == 3, words[0] == "monotonic" || words[0] == "1", let seconds = Int64(words[1]),
        let rest = Int64(words[2])
      else { continue }
      let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
      let (sum, overflow2) = scaled.addingReportingOverflow(rest)
      return overflow || overflow2 ? nil : sum
    }
    return nil
  }

  // MARK: - This process

  /// The offsets are those of the namespace that children are in, which a process enters with its next exec(2) at the
  /// latest since Linux 6.1.
  private static func readOffsets() -> String? {
    let (own, children) = ("/proc/self/ns/time", "/proc/self/ns/time_for_children")
    guard FileDescriptor.inode(of: own) == FileDescriptor.inode(of: children),
      let file = FileDescriptor(path: "/proc/self/timens_offsets")
    else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
      let count = read(file.number, buffer.baseAddress, buffer.count)
      return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
  }

  /// From /proc, or without it from the kernel (Linux 6.11).
  static func ownInode(_ kind: Kind) -> UInt32? {
    FileDescriptor.inode(of: "/proc/self/ns/\(kind.rawValue)") ?? openOwn(kind)?.inode
  }

  /// Opens this process's namespace without /proc; `nil` before Linux 6.11.
  static func openOwn(_ kind: Kind) -> FileDescriptor? {
    let number = tcpstate_own_namespace(kind.request)
    return number >= 0 ? FileDescriptor(taking: number) : nil
  }
}
