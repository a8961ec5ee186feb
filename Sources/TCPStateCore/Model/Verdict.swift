/// Who can get a socket out of the state it is in.
public enum Verdict: UInt8, Sendable, CaseIterable {
  /// Nobody has accepted it: it waits in its listener's queue, and no descriptor refers to it.
  case unaccepted
  /// A request in its listener's queue of half-open ones: the handshake isn't complete.
  case halfOpen
  /// One process has it, by one descriptor or more.
  case held
  /// Several processes have it, after fork() or SCM_RIGHTS: all must close it.
  case shared
  /// No process can reach it any more: the kernel is closing it.
  case orphan
  /// Open, yet no process that can be seen has a descriptor of it: it is another
  /// PID namespace's, under way over a Unix socket, or registered with io_uring only.
  case unseen
  /// Not told by what there is: a recording has the owner, not the descriptors and queues.
  case unknown

  public var name: StaticString {
    switch self {
    case .unaccepted: "unaccepted"
    case .halfOpen: "half_open"
    case .held: "held"
    case .shared: "shared"
    case .orphan: "orphan"
    case .unseen: "unseen"
    case .unknown: "unknown"
    }
  }
}
