// SPDX-License-Identifier: Apache-2.0

/// Which columns the timeline shows, how wide they are, and how fine its clock is.
///
/// All of it follows from the terminal's width alone, so that the first line and the last are aligned. A wide terminal gets
/// the full layout; a narrower one gets the new state alone instead of both, then the local port without its address, and
/// at last no time. What is left over goes to cells that are often too wide, then to more columns. Anywhere else than on a
/// terminal the layout is the full one.
struct TimelineLayout: Equatable {
  /// Room for the longest common `why`, `peer closed`, and its gap.
  private static let whyWidth = 13

  private(set) var columns: [TimelineColumn]
  /// By column, in the order of `columns`.
  private(set) var widths: [Int]
  private(set) var precision = ClockText.Precision.milliseconds
  private(set) var isCompact: Bool

  /// - Parameter terminal: its columns; `nil` if it isn't one.
  init(terminal: Int?) {
    let fitting = Self.forms.first { Self.needed($0) <= terminal ?? .max } ?? Self.narrowest
    columns = fitting
    widths = fitting.map(\.leastWidth)
    isCompact = fitting.contains(.state)
    guard let terminal else {
      precision = .microseconds
      for (column, width) in [(.role, 8), (.owner, 16), (.local, 21), (.peer, 21), (.stayed, 9)]
        as [(TimelineColumn, Int)]
      {
        set(column, width)
      }
      set(.time, precision.width)
      return
    }
    widen(by: terminal - Self.leastTotal(fitting))
  }

  private static let full: [TimelineColumn] = [.time, .role, .owner, .local, .peer, .transition, .stayed]
  private static let narrowest: [TimelineColumn] = [.owner, .peer, .stayed, .state]
  /// From wide to narrow.
  private static let forms: [[TimelineColumn]] = [
    full, [.time, .role, .owner, .local, .peer, .stayed, .state], [.time, .owner, .local, .peer, .stayed, .state],
    [.time, .owner, .localPort, .peer, .stayed, .state], narrowest,
  ]

  private static func leastTotal(_ columns: [TimelineColumn]) -> Int {
    columns.reduce(-columns[0].gap) { $0 + $1.leastWidth + $1.gap }
  }

  /// From which width on a form is used: both addresses may be wider than their columns, in the same line.
  private static func needed(_ columns: [TimelineColumn]) -> Int {
    leastTotal(columns) + (columns.contains(.local) ? 3 : 0)
  }

  /// Columns that come and go together.
  private static let extras: [[TimelineColumn]] = [[.rtt], [.sent, .received], [.retransmits], [.container], [.netns]]

  private mutating func set(_ column: TimelineColumn, _ width: Int) {
    guard let index = columns.firstIndex(of: column) else { return }
    widths[index] = width
  }

  /// Widens a column to at most `width`.
  private mutating func grow(_ column: TimelineColumn, to width: Int, _ left: inout Int) {
    guard let index = columns.firstIndex(of: column), left > 0 else { return }
    let more = min(left, width - widths[index])
    guard more > 0 else { return }
    widths[index] += more
    left -= more
  }

  private mutating func widen(by surplus: Int) {
    var left = max(0, surplus)
    // What IPv4 and most processes need.
    for (column, width) in [(.owner, 13), (.peer, 21), (.local, 18), (.owner, 16), (.role, 8), (.stayed, 9)]
      as [(TimelineColumn, Int)]
    {
      grow(column, to: width, &left)
    }
    if !isCompact {
      var beyond = left - Self.whyWidth
      let finer = ClockText.Precision.microseconds.width - widths[0]
      if beyond >= finer {
        precision = .microseconds
        set(.time, precision.width)
        (left, beyond) = (left - finer, beyond - finer)
      }
      for group in Self.extras {
        let needed = group.reduce(0) { $0 + $1.leastWidth + $1.gap }
        guard needed <= beyond else { continue }
        columns += group
        widths += group.map(\.leastWidth)
        (left, beyond) = (left - needed, beyond - needed)
      }
      left = max(0, beyond)
    }
    for (column, width) in [(.local, 21), (.stayed, 11), (.owner, 23), (.peer, 47), (.local, 47)]
      as [(TimelineColumn, Int)]
    {
      grow(column, to: width, &left)
    }
  }
}
