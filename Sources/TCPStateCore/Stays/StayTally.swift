// SPDX-License-Identifier: Apache-2.0

/// The stays of groups by state, in bounded memory.
///
/// Beyond `limit` groups, new ones are counted together as `other`. A group takes about 200 bytes
/// for each state it was in, 10 for each bucket that its stays fall into, up to 512 for the latest, and 128 for its ends.
public struct StayTally: ~Copyable {
  /// The group for everything beyond the limit; for everything at all if there are no keys.
  public static let other: Int32 = 0

  /// At most two.
  public let keys: [SummaryKey]
  public let limit: Int
  /// In the order in which they came; the first is `other`.
  public private(set) var groups: [SummaryGroup]
  /// Whether there were more than `limit`.
  public private(set) var isOverLimit = false

  private var numbers: [SummaryGroup: Int32] = [:]
  /// A cache of recent groups' numbers, by `SummaryGroup.mixed`: a lookup in `numbers` costs as much as reading a row.
  private var lately: [(group: SummaryGroup, number: Int32)]
  /// By group and state.
  private var cells: [StayCell?] = []
  /// How many connections have ended, by group and reason.
  private var ends: [UInt64]

  public init(keys: [SummaryKey], limit: Int = 10_000) {
    self.keys = keys
    self.limit = limit
    var other = SummaryGroup()
    other.isOther = !keys.isEmpty
    groups = [other]
    // The size is a power of two. No row belongs to `other`, so it can fill the cache.
    lately = Array(repeating: (other, Self.other), count: keys.isEmpty ? 1 : 4096)
    cells = Array(repeating: nil, count: TCPState.arraySize)
    ends = Array(repeating: 0, count: Self.reasons)
  }

  private static let reasons = Reason.allCases.count

  /// Makes a tally of what the kernel side has counted, all in one group.
  init(_ stays: AggregatedStays) {
    self.init(keys: [])
    for state in TCPState.all where stays[state].count > 0 { cells[Int(state.number)] = StayCell(stays[state]) }
  }

  /// The number of the row's group.
  @inline(__always)
  public mutating func group(of row: borrowing Transition) -> Int32 {
    guard let first = keys.first else { return Self.other }
    var group = SummaryGroup()
    group.first = first.value(of: row)
    if keys.count > 1 { group.second = keys[1].value(of: row) }
    let place = Int(truncatingIfNeeded: group.mixed >> 32) & (lately.count - 1)
    if group == lately[place].group { return lately[place].number }
    let number = number(of: group)
    lately[place] = (group, number)
    return number
  }

  /// The number of a group; a new group gets a new number.
  public mutating func number(of group: SummaryGroup) -> Int32 {
    if keys.isEmpty || group.isOther { return Self.other }
    if let number = numbers[group] { return number }
    guard groups.count <= limit else {
      isOverLimit = true
      return Self.other
    }
    let number = Int32(groups.count)
    numbers[group] = number
    groups.append(group)
    cells.append(contentsOf: repeatElement(nil, count: TCPState.arraySize))
    ends.append(contentsOf: repeatElement(0, count: Self.reasons))
    return number
  }

  /// Counts a stay that ended.
  @inline(__always)
  public mutating func record(_ stay: Stay, in state: TCPState, group: Int32) {
    guard state.isKnown else { return }
    let index = Int(group) * TCPState.arraySize + Int(state.number)
    if let cell = cells[index] { return cell.record(stay) }
    let cell = StayCell()
    cells[index] = cell
    cell.record(stay)
  }

  /// Counts a connection that has ended.
  @inline(__always)
  public mutating func recordEnd(_ reason: Reason, group: Int32) {
    ends[Int(group) * Self.reasons + Int(reason.rawValue)] += 1
  }

  /// How many of a group's connections ended for that reason.
  public func ends(_ group: Int32, _ reason: Reason) -> UInt64 {
    ends[Int(group) * Self.reasons + Int(reason.rawValue)]
  }

  /// The stays of a group in a state; `nil` if there are none.
  public func cell(_ group: Int32, _ state: TCPState) -> StayCell? {
    cells[Int(group) * TCPState.arraySize + Int(state.number)]
  }

  /// Adds the stays of another tally with the same keys.
  public mutating func merge(_ other: borrowing StayTally) {
    for (index, group) in other.groups.enumerated() {
      let number = number(of: group)
      for reason in Reason.allCases {
        ends[Int(number) * Self.reasons + Int(reason.rawValue)] += other.ends(Int32(index), reason)
      }
      for state in TCPState.all {
        guard let cell = other.cell(Int32(index), state) else { continue }
        let place = Int(number) * TCPState.arraySize + Int(state.number)
        if cells[place] == nil { cells[place] = StayCell() }
        cells[place]?.merge(cell)
      }
    }
    isOverLimit = isOverLimit || other.isOverLimit
  }
}
