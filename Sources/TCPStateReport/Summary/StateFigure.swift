// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Where RFC 9293's figure 5 is drawn, by the terminal and by the page: in columns and rows of characters.
enum StateFigure {
  static let width = 80
  static let height = 41
  /// Of every state's box.
  static let boxWidth = 24

  /// Where a state is drawn.
  struct Place {
    var state: TCPState
    var x: Int
    var y: Int
    var height = 3
  }

  private static let (left, middle, right) = (0, 28, 56)
  static let places = [
    Place(state: .closed, x: middle, y: 0, height: 4),
    Place(state: .listen, x: middle, y: 7),
    Place(state: .synReceived, x: left, y: 13), Place(state: .synSent, x: right, y: 13),
    Place(state: .established, x: middle, y: 18, height: 4),
    Place(state: .finWait1, x: left, y: 25), Place(state: .closeWait, x: right, y: 25),
    Place(state: .finWait2, x: left, y: 31), Place(state: .closing, x: middle, y: 31),
    Place(state: .lastAck, x: right, y: 31),
    Place(state: .timeWait, x: middle, y: 37), Place(state: .closed, x: right, y: 37),
  ]

  /// Where a transition is drawn: the corners of its line, and where its two lines of text begin or end.
  struct Line {
    var old: TCPState
    var new: TCPState
    var points: [(Int, Int)]
    var text: (x: Int, y: Int)
    var endsThere = false
    /// Whether it has one line only.
    var isFlat = false
  }

  static let lines = [
    Line(old: .closed, new: .listen, points: [(34, 4), (34, 6)], text: (32, 4), endsThere: true),
    Line(old: .listen, new: .closed, points: [(45, 6), (45, 4)], text: (47, 4)),
    Line(old: .closed, new: .synSent, points: [(52, 1), (75, 1), (75, 12)], text: (54, 0), isFlat: true),
    Line(old: .synSent, new: .closed, points: [(66, 12), (66, 2), (52, 2)], text: (64, 10), endsThere: true),
    Line(old: .listen, new: .synReceived, points: [(27, 8), (11, 8), (11, 12)], text: (13, 9)),
    Line(old: .synSent, new: .synReceived, points: [(55, 14), (24, 14)], text: (26, 13), isFlat: true),
    Line(old: .synReceived, new: .established, points: [(21, 16), (21, 19), (27, 19)], text: (23, 16)),
    Line(old: .synSent, new: .established, points: [(58, 16), (58, 19), (52, 19)], text: (56, 16), endsThere: true),
    Line(old: .synReceived, new: .finWait1, points: [(3, 16), (3, 24)], text: (5, 20)),
    Line(old: .established, new: .finWait1, points: [(27, 20), (21, 20), (21, 24)], text: (23, 22)),
    Line(old: .established, new: .closeWait, points: [(52, 20), (58, 20), (58, 24)], text: (56, 23), endsThere: true),
    Line(old: .finWait1, new: .finWait2, points: [(3, 28), (3, 30)], text: (5, 28)),
    Line(old: .finWait1, new: .closing, points: [(24, 26), (33, 26), (33, 30)], text: (35, 28)),
    Line(old: .closeWait, new: .lastAck, points: [(58, 28), (58, 30)], text: (60, 28)),
    Line(old: .finWait2, new: .timeWait, points: [(3, 34), (3, 38), (27, 38)], text: (5, 34)),
    Line(old: .closing, new: .timeWait, points: [(33, 34), (33, 36)], text: (35, 34)),
    Line(old: .lastAck, new: .closed, points: [(58, 34), (58, 36)], text: (60, 34)),
    Line(old: .timeWait, new: .closed, points: [(52, 38), (55, 38)], text: (44, 40), isFlat: true),
  ]
}
