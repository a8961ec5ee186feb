// SPDX-License-Identifier: Apache-2.0

/// Everything that a frame of `top` shows, as of one moment: plain values, so that
/// frames can be built and tested without a kernel or a terminal.
public struct TopBoard: Sendable {
  /// One connection: its facts, and the states it has been through.
  public struct Row: Sendable {
    /// `new` is its state, `stay` its time in that state.
    public var facts: Transition
    /// Earlier states that were seen, the oldest first.
    public var past: [TopStay]

    public init(facts: Transition, past: [TopStay] = []) {
      self.facts = facts
      self.past = past
    }
  }

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
  public var rows: [Row] = []
  /// Limits of what is shown, and recent problems, one sentence each; the most lasting first.
  public var notes: [String] = []
  /// `nil` for the live kernel.
  public var recording: Recording?
  /// The last reading of the connection whose details are shown.
  public var detail: TopDetail?

  public init() {}
}

/// A connection's stay in one state.
public struct TopStay: Sendable, Equatable {
  public var state: TCPState
  public var nanoseconds: UInt64

  public init(state: TCPState, nanoseconds: UInt64) {
    self.state = state
    self.nanoseconds = nanoseconds
  }
}
