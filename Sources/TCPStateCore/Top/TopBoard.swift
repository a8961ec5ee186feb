// SPDX-License-Identifier: Apache-2.0

/// Everything that a frame of `top` shows, as of one moment: plain values, so that
/// frames can be built and tested without a kernel or a terminal.
public struct TopBoard: Sendable {
  /// The position in a recording.
  public struct Recording: Sendable, Equatable {
    /// When the recording begins, nanoseconds since the epoch.
    public var start: UInt64
    /// When it ends, likewise.
    public var end: UInt64
    /// How far one key press moves, in nanoseconds.
    public var step: UInt64
    public var isPlaying: Bool

    public init(start: UInt64, end: UInt64, step: UInt64, isPlaying: Bool) {
      self.start = start
      self.end = end
      self.step = step
      self.isPlaying = isPlaying
    }
  }

  /// The machine's name, or a recording's file name.
  public var host = ""
  /// For people: `Linux 6.18`.
  public var kernel = ""
  /// The moment shown, nanoseconds since the epoch.
  public var time: UInt64 = 0
  /// Events lost.
  public var lost: UInt64 = 0
  public var transitions: UInt64 = 0
  /// Transitions in each of the last seconds, the current one last.
  public var perSecond: [UInt64] = []
  /// Connections in each state, by kernel number, in each of the last seconds.
  public var counts: [[UInt64]] = Array(repeating: [], count: TCPState.arraySize)
  /// Every open socket that the options let through, listeners too.
  public var rows: [TopRow] = []
  /// Limits of what is shown, and recent problems, one sentence each; the most lasting first.
  public var notes: [String] = []
  /// `nil` for the live kernel.
  public var recording: Recording?
  /// Whether the board stands still because the user wants it to.
  public var isPaused = false
  /// The connection whose details are shown; `nil` if it isn't open.
  public var facts: Transition?
  /// Earlier states of that connection, the oldest first.
  public var past: [TopStay] = []
  /// The last reading of that connection.
  public var detail: TopDetail?
  /// The life of the connection whose ladder is shown; `nil` if it isn't known.
  public var life: Lifecycle?

  public init() {}
}

/// A connection's stay in one state.
public struct TopStay: Sendable, Equatable, BitwiseCopyable {
  public var state: TCPState
  public var kind: DurationKind
  public var nanoseconds: UInt64

  public init(state: TCPState, nanoseconds: UInt64, kind: DurationKind = .exact) {
    self.state = state
    self.nanoseconds = nanoseconds
    self.kind = kind
  }
}
