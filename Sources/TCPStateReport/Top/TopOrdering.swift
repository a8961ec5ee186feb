// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Rows in the order in which they are listed, sorted no further than somebody looks.
///
/// Of a hundred thousand rows a screen shows thirty: to find these takes a tenth of the time that sorting all takes.
struct TopOrdering {
  /// Compared member by member.
  private struct Key {
    var first: UInt64
    var second: UInt64
    /// The complement of the age: the oldest first.
    var youth: UInt64
    var connection: UInt64
    /// The row's place among all rows.
    var row: Int32

    static func < (a: Key, b: Key) -> Bool {
      if a.first != b.first { return a.first < b.first }
      if a.second != b.second { return a.second < b.second }
      return a.youth != b.youth ? a.youth < b.youth : a.connection < b.connection
    }
  }

  private let order: TopView.Order
  private let isReversed: Bool
  /// The first `sorted` of these are in order, and before all others.
  private var keys: [Key] = []
  private var sorted = 0

  init(_ order: TopView.Order, isReversed: Bool) {
    self.order = order
    self.isReversed = isReversed
  }

  var count: Int { keys.count }

  mutating func add(_ row: TopRow, at place: Int) {
    var key = key(row)
    if isReversed { (key.first, key.second, key.youth) = (~key.first, ~key.second, ~key.youth) }
    key.row = Int32(truncatingIfNeeded: place)
    keys.append(key)
  }

  /// The place among all rows of the one that is listed at `index`, which must be below `count`.
  mutating func row(_ index: Int) -> Int {
    if index >= sorted { sort(upTo: index + 1) }
    return Int(keys[index].row)
  }

  /// Sorts as far as the first `wanted`.
  mutating func sort(upTo wanted: Int) {
    let wanted = min(wanted, keys.count)
    guard wanted > sorted else { return }
    guard wanted < keys.count / 8 else {
      keys.sort(by: <)
      sorted = keys.count
      return
    }
    // The best so far are in front; whatever beats the worst of them joins a batch, which is merged when it is large.
    keys[..<wanted].sort(by: <)
    var batch: [(key: Key, place: Int)] = []
    for place in wanted..<keys.count where keys[place] < keys[wanted - 1] {
      batch.append((keys[place], place))
      if batch.count >= max(wanted, 64) { merge(&batch, wanted) }
    }
    merge(&batch, wanted)
    sorted = wanted
  }

  private mutating func merge(_ batch: inout [(key: Key, place: Int)], _ wanted: Int) {
    guard !batch.isEmpty else { return }
    var all = Array(keys[..<wanted]) + batch.map(\.key)
    all.sort(by: <)
    keys.replaceSubrange(..<wanted, with: all[..<wanted])
    for (index, entry) in batch.enumerated() { keys[entry.place] = all[wanted + index] }
    batch.removeAll(keepingCapacity: true)
  }

  private func key(_ row: TopRow) -> Key {
    let youth = ~(row.stay?.nanoseconds ?? 0)
    func key(_ first: UInt64, _ second: UInt64 = 0) -> Key {
      Key(first: first, second: second, youth: youth, connection: row.connection, row: 0)
    }
    switch order {
    case .worst: return key(UInt64(row.rank.rawValue))
    case .age: return key(0)
    case .state: return key(UInt64(Self.rank(row.state)))
    case .process:
      // Big-endian words compare as their bytes do.
      let (a, b) = (row.ownerName.storage.0.byteSwapped, row.ownerName.storage.1.byteSwapped)
      return row.ownerName.isEmpty ? key(.max, .max) : key(a, b)
    case .peer:
      // Connections with one host follow each other; its port has no room here.
      return key(row.peer.address.high, row.peer.address.low)
    case .bytes: return key(~(row.bytes ?? 0))
    case .retransmits: return key(UInt64(~(row.retransmits ?? 0)))
    }
  }

  private static let ranks: [UInt8] = {
    var ranks = [UInt8](repeating: .max, count: 256)
    for (rank, state) in TCPState.all.enumerated() { ranks[Int(state.number)] = UInt8(rank) }
    return ranks
  }()

  private static func rank(_ state: TCPState) -> UInt8 { ranks[Int(state.number)] }
}
