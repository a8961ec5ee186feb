// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of a ladder.
///
/// ```
///     TIME  #  CLIENT        FLAGS  SEQ  ACK        SERVER
/// 0.000082  2              ◀─ SYN ACK  y  x+1 ───  SYN-RECEIVED
/// ```
struct LadderLayout {
  /// The narrowest terminal that shows each stay next to its state.
  private static let staysFrom = 112
  /// A longer arrow would add nothing.
  private static let longestLane = 54
  static let stayWidth = 10

  let width: Int
  /// The column at which times end.
  let timeEnd: Int
  let number: Int
  let client: Int
  let lane: Int
  let laneWidth: Int
  let server: Int
  let showsStays: Bool
  /// Whether `seq` and `ack` stand before each number instead of only in the heading.
  let names: Bool
  /// Digits of the longest sequence number.
  let digits: Int
  /// Whether there is room for the parentheses around implied states; if not, `~` marks them.
  let parentheses: Bool

  init(terminal: Int?, timeWidth: Int, stateWidth: Int, digits: Int) {
    width = max(terminal ?? 100, 72)
    self.digits = digits
    parentheses = stateWidth >= 14
    showsStays = width >= Self.staysFrom
    timeEnd = max(timeWidth, 8)
    number = timeEnd + 2
    client = number + 3
    let column = stateWidth + (showsStays ? 1 + Self.stayWidth : 0)
    lane = client + column + 1
    let least = 3 + Self.flagsWidth + 1 + digits + 1 + digits + 3
    laneWidth = max(least, min(width - lane - 1 - column, Self.longestLane))
    names = laneWidth >= least + 8
    server = lane + laneWidth + 1
  }

  static let flagsWidth = 7

  /// Where sequence numbers end, counted from the start of the lane.
  var sequenceEnd: Int { 3 + Self.flagsWidth + 1 + (names ? 4 : 0) + digits }
  var acknowledgementEnd: Int { sequenceEnd + 1 + (names ? 4 : 0) + digits }
}
