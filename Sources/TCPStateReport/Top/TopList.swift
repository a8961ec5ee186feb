// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The lines of `top`'s list: filtered and sorted, or grouped; TIME-WAIT in one line that opens.
///
/// A class, so that it can be sorted further as somebody scrolls.
public final class TopList {
  /// A line.
  enum Content {
    case row(TopRow)
    case group(TopGroup)
    /// The line that stands for all in TIME-WAIT.
    case fold
  }

  private let rows: [TopRow]
  private var main: TopOrdering
  /// Those in TIME-WAIT, if they are folded.
  private var folded: TopOrdering
  let groups: [TopGroup]
  private let isGrouped: Bool
  /// Whether the fold is open.
  let isOpen: Bool
  /// The oldest of those folded.
  let oldestFolded: Stay?
  /// How many sockets that the filter lets through are in each state, by kernel number.
  public private(set) var counts = [UInt64](repeating: 0, count: TCPState.arraySize)

  public init(_ rows: [TopRow], _ view: TopView) {
    var main = TopOrdering(view.order, isReversed: view.isReversed)
    var folded = TopOrdering(.age, isReversed: false)
    var filter = TopFilter(view.filter)
    var groups: [TopGroup.Key: TopGroup] = [:]
    var oldest: Stay?
    let isGrouped = view.showsGroups
    let folds = !filter.asks(for: .timeWait)
    for index in rows.indices where filter.matches(rows[index]) {
      let row = rows[index]
      if row.state.isKnown { counts[Int(row.state.number)] += 1 }
      if row.state == .listen { continue }
      if isGrouped {
        let key = TopGroup.Key(row, view.grouping)
        groups[key, default: TopGroup(key: key)].add(row)
      } else if let group = view.group, TopGroup.Key(row, view.grouping) != group {
        continue
      } else if folds, row.state == .timeWait {
        folded.add(row, at: index)
        if let stay = row.stay, stay.nanoseconds >= oldest?.nanoseconds ?? 0 { oldest = stay }
      } else {
        main.add(row, at: index)
      }
    }
    self.rows = rows
    self.isGrouped = isGrouped
    self.groups = TopGroup.sorted(groups.values)
    // With nothing else to see there is no reason to hide it.
    isOpen = view.opensTimeWait || main.count == 0
    oldestFolded = oldest
    (self.main, self.folded) = (main, folded)
  }

  var foldedCount: Int { folded.count }

  /// How many connections are listed, or folded.
  var connections: Int { main.count + folded.count }

  /// How many lines there are.
  public var count: Int {
    if isGrouped { return groups.count }
    return main.count + (folded.count == 0 ? 0 : isOpen ? 1 + folded.count : 1)
  }

  /// The line at this place, which must be below `count`.
  func content(_ index: Int) -> Content {
    if isGrouped { return .group(groups[index]) }
    if index < main.count { return .row(rows[main.row(index)]) }
    return index == main.count ? .fold : .row(rows[folded.row(index - main.count - 1)])
  }

  /// What the line at this place stands for; `nil` if there is none.
  public func line(_ index: Int) -> TopView.Line? {
    guard index >= 0, index < count else { return nil }
    return switch content(index) {
    case .row(let row): .connection(row.connection)
    case .group(let group): .group(group.key)
    case .fold: .timeWait
    }
  }

  /// The connections of the listed lines and of those folded, in their order.
  public var everyConnection: [UInt64] {
    (0..<main.count).map { rows[main.row($0)].connection } + (0..<folded.count).map { rows[folded.row($0)].connection }
  }
}
