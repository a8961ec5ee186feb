// SPDX-License-Identifier: Apache-2.0
import CLinux
import CProbe
import Glibc

/// Whether a seccomp filter, such as a container's, stands between this process and the calls that tracing needs.
///
/// Most filters refuse with EPERM, which looks like a missing capability.
public struct Seccomp: Sendable, Equatable {
  public enum Call: String, Sendable, CaseIterable {
    case bpf, perf_event_open, setns
  }

  /// `Seccomp:` in /proc/self/status is 2; `nil` if it can't be read.
  public let isFiltering: Bool?
  /// The calls that are refused by it, and not for another reason.
  public let refused: Set<Call>
  /// Calls of which it can't be known whether the filter or something else refuses them.
  public let unknown: Set<Call>

  public init(isFiltering: Bool?, refused: Set<Call> = [], unknown: Set<Call> = []) {
    (self.isFiltering, self.refused, self.unknown) = (isFiltering, refused, unknown)
  }

  /// Of this process, before it filters its own calls.
  static let current: Seccomp = {
    let status = FileDescriptor(path: "/proc/self/status")?.text()
    let hasRights = Capabilities.missingForTracing.isEmpty && Surroundings.current.place(.user) == .initial
    return Seccomp(
      status: status, asksRightsLate: KernelVersion(release: KernelVersion.running.release).map { $0 >= asksLate },
      hasRights: hasRights, answer: answer)
  }()

  /// Before that, bpf(2) looks at the rights before anything else.
  private static let asksLate = KernelVersion(5, 19)

  /// - Parameters:
  ///   - status: the text of /proc/self/status.
  ///   - asksRightsLate: whether bpf(2) looks at arguments before rights; `nil` if that isn't known.
  ///   - hasRights: whether this process has the rights that bpf(2) asks for.
  ///   - answer: makes the call with arguments that the kernel rejects, and returns its errno, or minus a signal.
  init(status: String?, asksRightsLate: Bool?, hasRights: Bool, answer: (Call) -> Int32) {
    isFiltering = status.flatMap { Self.mode($0) }.map { $0 != 0 }
    var (refused, unknown): (Set<Call>, Set<Call>) = ([], [])
    // Without /proc it is tried.
    for call in Call.allCases where isFiltering != false {
      let code = answer(call)
      switch code {
      case call.rejection: break
      case EPERM where call == .bpf && asksRightsLate != true && !hasRights: unknown.insert(call)
      case EPERM, EACCES, ENOSYS, Int32.min..<0: refused.insert(call)
      default: unknown.insert(call)
      }
    }
    (self.refused, self.unknown) = (refused, unknown)
  }

  private static func mode(_ status: String) -> Int? {
    for line in status.split(separator: "\n") where line.hasPrefix("Seccomp:") {
      return Int(line.dropFirst(8).filter { !$0.isWhitespace })
    }
    return nil
  }

  /// In a child, which the filter may kill.
  private static func answer(_ call: Call) -> Int32 {
    switch call {
    // An unknown command, and more bytes of arguments than there can be.
    case .bpf: tcpstate_try_call(Int(SYS_bpf), 0xffff, 0, 1 << 20, 0, 0)
    // Unknown flags.
    case .perf_event_open: tcpstate_try_call(Int(SYS_perf_event_open), 0, 0, -1, -1, -1)
    // No descriptor.
    case .setns: tcpstate_try_call(Int(SYS_setns), -1, 0, 0, 0, 0)
    }
  }
}

extension Seccomp.Call {
  /// What the kernel itself answers.
  var rejection: Int32 {
    switch self {
    case .bpf: E2BIG
    case .perf_event_open: EINVAL
    case .setns: EBADF
    }
  }
}
