/// Which columns the timeline shows, how wide they are, and how fine its clock is.
///
/// A terminal gets what fits without wrapping, counting in a short `why`: under
/// 107 columns the compact layout, then the full one, then more. Elsewhere the
/// layout is the full one. Columns only ever grow, and not beyond the terminal:
/// there a long cell runs over in its own line alone.
struct TimelineLayout {
  /// Columns of a terminal from which on the full layout is used.
  private static let fullFrom = 107
  /// Between two columns.
  static let gap = 2
  /// Room for the longest common `why`, `peer closed`, and its gap.
  private static let whyWidth = 13

  private(set) var columns: [TimelineColumn] = []
  private(set) var precision = ClockText.Precision.microseconds
  private(set) var isCompact = false

  private var widths: [Int]
  private var terminal: Int?

  init(terminal: Int?) {
    self.terminal = terminal
    widths = TimelineColumn.allCases.map(\.initialWidth)
    if terminal == nil {
      // Nobody sees a file grow: room for most of what comes.
      widths[TimelineColumn.role.rawValue] = 8
      widths[TimelineColumn.owner.rawValue] = 16
      widths[TimelineColumn.local.rawValue] = 21
      widths[TimelineColumn.peer.rawValue] = 21
    } else if let terminal, terminal < Self.fullFrom {
      // Leaves room for `→ CLOSED timed out` within 80.
      widths[TimelineColumn.stayed.rawValue] = 8
    }
    arrange()
  }

  func width(of column: TimelineColumn) -> Int {
    column == .time ? precision.width : widths[column.rawValue]
  }

  /// Takes a new width of the terminal and says whether other columns are shown now.
  mutating func resize(terminal: Int?) -> Bool {
    self.terminal = terminal
    return arrange()
  }

  /// Widens `column` to `width`, if all columns still fit then, and says whether other columns are shown now.
  mutating func widen(_ column: TimelineColumn, to width: Int) -> Bool {
    if let terminal {
      // What optional columns and the finer clock take can be given up for it.
      let least = (isCompact ? Self.compact : Self.full).reduce(-Self.gap) { sum, shown in
        let own = shown == .time ? ClockText.Precision.milliseconds.width : widths[shown.rawValue]
        return sum + Self.gap + (shown == column ? width : own)
      }
      guard least <= terminal + (isCompact ? 1 : 0) else { return false }  // `→` stands one column after STAYED
    }
    widths[column.rawValue] = width
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
