// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Which columns `top`'s list has on a terminal of some width, and how wide each is.
struct TopLayout {
  struct Slot: Equatable {
    let column: TopColumn
    var width: Int
    /// Where it begins, from 0.
    var start = 0
  }

  private(set) var slots: [Slot] = []

  /// - Parameters:
  ///   - chosen: `nil` for those that suit the width.
  ///   - width: columns of the terminal. The first is the margin.
  init(_ chosen: Set<TopColumn>?, width: Int) {
    var columns = TopColumn.allCases.filter { chosen?.contains($0) ?? (width >= $0.look.from) }
    while columns.count > 1, Self.least(columns) > width,
      let last = columns.max(by: { $0.look.place < $1.look.place })
    {
      columns.removeAll { $0 == last }
    }
    slots = columns.map { Slot(column: $0, width: $0.look.least) }
    spread(width - Self.least(columns))
    var start = 1
    for index in slots.indices {
      slots[index].start = start
      start += slots[index].width + 1
    }
  }

  private static func least(_ columns: [TopColumn]) -> Int { columns.reduce(0) { $0 + $1.look.least + 1 } }

  /// Gives what is left to the columns that need it most: whole addresses, then names, then the lane.
  private mutating func spread(_ left: Int) {
    var left = left
    for column in [TopColumn.local, .peer, .owner, .container, .sent, .received, .states] {
      guard left > 0, let index = slots.firstIndex(where: { $0.column == column }) else { continue }
      let look = column.look
      // A part of an address's width is of no use: the port alone stays.
      if column == .local, left < look.most - look.least { continue }
      // The lane shows more when it is long, so a name doesn't take everything.
      let share =
        (column == .owner || column == .container) && slots.contains { $0.column == .states } ? (left + 1) / 2 : left
      let more = min(look.most == .max ? left : look.most - look.least, share)
      slots[index].width += more
      left -= more
    }
  }

  /// The column whose title is at this place.
  func column(at x: Int) -> TopColumn? {
    slots.first { x >= $0.start && x < $0.start + $0.width }?.column
  }
}
