// SPDX-License-Identifier: Apache-2.0

/// Which columns the timeline shows, how wide they are, and how fine its clock is.
///
/// A terminal gets what fits without wrapping, including a short `why`: the compact
/// layout below 107 columns, then the full one, then extra columns. Anywhere else
/// the layout is the full one. Columns only ever grow, and never past the terminal's
/// edge: a cell that is too long for that overflows in its own line only.
struct TimelineLayout {
  /// The narrowest terminal that gets the full layout.
  private static let fullFrom = 107
  /// Spaces between two columns.
  static let gap = 2
  /// Room for the longest common `why`, `peer closed`, and its gap.
  private static let whyWidth = 13

  private(set) var columns: [TimelineColumn] = []
  private(set) var precision = ClockText.Precision.microseconds
  private(set) var isCompact = false

  private var widths: [Int]
  private var terminal: Int?
  /// Whether a row has shown a container, so that a column for it isn't empty.
  private var hasContainers = false

  init(terminal: Int?) {
    self.terminal = terminal
    widths = TimelineColumn.allCases.map(\.initialWidth)
    if terminal == nil {
      // A file's columns shouldn't shift as it grows, so leave room for most cells.
      widths[TimelineColumn.role.rawValue] = 8
      widths[TimelineColumn.owner.rawValue] = 16
      widths[TimelineColumn.local.rawValue] = 21
      widths[TimelineColumn.peer.rawValue] = 21
    } else if let terminal, terminal < Self.fullFrom {
      // Leaves room for `→ CLOSED timed out` within 80 columns.
      widths[TimelineColumn.stayed.rawValue] = 8
    }
    arrange()
  }

  func width(of column: TimelineColumn) -> Int {
    column == .time ? precision.width : widths[column.rawValue]
  }

  /// Adopts a new terminal width.
  ///
  /// - Returns: whether the set of columns has changed.
  mutating func resize(terminal: Int?) -> Bool {
    self.terminal = terminal
    return arrange()
  }

  /// Widens `column` to `width` if all columns still fit.
  ///
  /// - Returns: whether the set of columns has changed.
  mutating func widen(_ column: TimelineColumn, to width: Int) -> Bool {
    if let terminal {
      // The optional columns and the finer clock can be given up to make room.
      let least = (isCompact ? Self.compact : Self.full).reduce(-Self.gap) { sum, shown in
        let own = shown == .time ? ClockText.Precision.milliseconds.width : widths[shown.rawValue]
        return sum + Self.gap + (shown == column ? width : own)
      }
      guard least <= terminal + (isCompact ? 1 : 0) else { return false }  // `→` comes one column after STAYED
    }
    widths[column.rawValue] = width
    return arrange()
  }

  /// Makes room for containers, if there is any.
  ///
  /// - Returns: whether the set of columns has changed.
  mutating func addContainers() -> Bool {
    guard !hasContainers else { return false }
    hasContainers = true
    return arrange()
  }

  @discardableResult
  private mutating func arrange() -> Bool {
    let before = columns
    precision = .microseconds
    isCompact = false
    guard let terminal else {
      columns = Self.full
      return columns != before
    }
    if terminal < Self.fullFrom {
      isCompact = true
      precision = .milliseconds
      columns = Self.compact
      return columns != before
    }
    columns = Self.full
    if hasContainers, total + Self.gap + width(of: .workload) + Self.whyWidth <= terminal {
      columns.insert(.workload, at: columns.firstIndex(of: .local) ?? columns.endIndex)
    }
    if total + Self.whyWidth > terminal { precision = .milliseconds }
    for extra in Self.extras {
      let needed = total + Self.gap + width(of: extra) + Self.whyWidth
      guard needed <= terminal else { break }
      columns.append(extra)
    }
    return columns != before
  }

  private var total: Int {
    columns.reduce(-Self.gap) { $0 + width(of: $1) + Self.gap }
  }

  private static let full: [TimelineColumn] = [.time, .role, .owner, .local, .peer, .transition, .stayed]
  private static let compact: [TimelineColumn] = [.time, .owner, .localPort, .peer, .stayed, .state]
  private static let extras: [TimelineColumn] = [.rtt, .sent, .received, .retransmits, .netns]
}
