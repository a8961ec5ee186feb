/// Everything a frame of `top` shows, as of one moment: plain values, so that
/// frames are built and tested without a kernel or a terminal.
public struct TopBoard: Sendable {
  /// Of one connection: its facts, and the states it has been through.
  public struct Row: Sendable {
    /// State in `new`, time in it in `stay`.
    public var facts: Transition
    /// Earlier states, the oldest first, as far as they were seen.
    public var past: [TopStay]

    public init(facts: Transition, past: [TopStay] = []) {
      self.facts = facts
      self.past = past
    }
  }

  public var host = ""
  /// As people name it: `Linux 6.18`.
  public var kernel = ""
  /// Nanoseconds since the epoch.
  public var time: UInt64 = 0
  public var lost: UInt64 = 0
  public var transitions: UInt64 = 0
  /// Transitions in each of the last seconds, the present one last.
  public var perSecond: [UInt64] = []
  /// Connections in each state, by kernel number, in each of the last seconds.
  public var counts: [[UInt64]] = Array(repeating: [], count: TCPState.arraySize)
  public var rows: [Row] = []

  public init() {}
}

/// One state that a connection was in.
public struct TopStay: Sendable, Equatable {
  public var state: TCPState
  public var nanoseconds: UInt64

  public init(state: TCPState, nanoseconds: UInt64) {
    self.state = state
    self.nanoseconds = nanoseconds
  }
}
