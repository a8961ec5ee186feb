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

  /// Where in a recording the board is.
  public struct Recording: Sendable, Equatable {
    /// When it begins and ends, nanoseconds since the epoch.
    public var start: UInt64
    public var end: UInt64
    /// How far a key moves, in nanoseconds.
    public var step: UInt64
    public var isPlaying: Bool

    public init(start: UInt64, end: UInt64, step: UInt64, isPlaying: Bool) {
      self.start = start
      self.end = end
      self.step = step
      self.isPlaying = isPlaying
    }
  }

  /// The machine's name; of a recording the file's.
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
  /// What can't be seen, or has come up, a sentence each; the most lasting first.
  public var notes: [String] = []
  /// `nil` for the live kernel.
  public var recording: Recording?
  /// What was last read of the connection whose detail is shown.
  public var detail: TopDetail?

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
