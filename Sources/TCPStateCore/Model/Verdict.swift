// SPDX-License-Identifier: Apache-2.0

/// Which process, if any, can get a socket out of its state.
public enum Verdict: UInt8, Sendable, CaseIterable {
  /// No process has accepted it: it waits in its listener's queue, and no descriptor refers to it.
  case unaccepted
  /// A request in its listener's queue of half-open requests: the handshake isn't complete.
  case halfOpen
  /// One process holds it, through one or more descriptors.
  case held
  /// Several processes hold it, after fork() or SCM_RIGHTS, and all of them must close it.
  case shared
  /// No process can reach it any more: the kernel is closing it.
  case orphan
  /// No descriptor refers to it any more, but a system call on it hasn't returned: close() itself, or one of another
  /// thread, which keeps the socket open until it does.
  case closing
  /// It is open, but no visible process has a descriptor of it: it belongs to another
  /// PID namespace, is in flight over a Unix socket, or is only registered with io_uring.
  case unseen
  /// The source can't say: a recording contains the owner, but no descriptors and queues.
  case unknown

  public var name: StaticString {
    switch self {
    case .unaccepted: "unaccepted"
    case .halfOpen: "half_open"
    case .held: "held"
    case .shared: "shared"
    case .orphan: "orphan"
    case .closing: "closing"
    case .unseen: "unseen"
    case .unknown: "unknown"
    }
  }
}
