import TCPStateCore

/// Where the columns of a ladder are.
///
/// ```
///     TIME  #  CLIENT        FLAGS  SEQ  ACK        SERVER
/// 0.000082  2              ◀─ SYN ACK  y  x+1 ───  SYN-RECEIVED
/// ```
struct LadderLayout {
  /// Columns of a terminal from which on each state's stay is beside it.
  private static let staysFrom = 112
  /// A longer arrow says no more.
  private static let longestLane = 54
  static let stayWidth = 10

  let width: Int
  /// Times end here.
  let timeEnd: Int
  let number: Int
  let client: Int
  let lane: Int
  let laneWidth: Int
  let server: Int
  let showsStays: Bool
  /// Whether `seq` and `ack` are written before each number, not only in the heading.
  let names: Bool
  /// Digits that a sequence number takes.
  let digits: Int
  /// Whether there is room for the parentheses of implied states; else it is `~`.
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

  /// Where sequence numbers end, from the lane's start.
  var sequenceEnd: Int { 3 + Self.flagsWidth + 1 + (names ? 4 : 0) + digits }
  var acknowledgementEnd: Int { sequenceEnd + 1 + (names ? 4 : 0) + digits }
}
