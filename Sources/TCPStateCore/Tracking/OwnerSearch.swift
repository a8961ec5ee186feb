// SPDX-License-Identifier: Apache-2.0
/// Connections of which it isn't known which process has accepted them.
///
/// Most show it themselves in a moment, by a read or a close. Those that don't are looked for among the descriptors of
/// all processes.
struct OwnerSearch: ~Copyable {
  /// How long a connection may show it itself, in nanoseconds.
  static let patience: UInt64 = 100_000_000

  private struct Entry {
    let key: UInt64
    let time: UInt64
  }

  /// In the order of their times.
  private var waiting: [Entry] = []
  private var head = 0
  /// Keys of the connections to look for.
  private(set) var sought: Set<UInt64> = []
  /// Whether some haven't been looked for yet.
  private(set) var hasNew = false
  /// During a look: the owners that connections had before; 0 for none.
  var presumed: [UInt64: UInt32] = [:]

  /// A connection that begins, or shows its owner only now.
  @inline(__always)
  mutating func add(_ key: UInt64, at time: UInt64) {
    waiting.append(Entry(key: key, time: time))
  }

  /// The next connection that has had its time by `time`.
  @inline(__always)
  mutating func next(until time: UInt64) -> UInt64? {
    guard head < waiting.count, waiting[head].time &+ Self.patience <= time else { return nil }
    head += 1
    defer {
      if head == waiting.count || head >= 4096 {
        waiting.removeFirst(head)
        head = 0
      }
    }
    return waiting[head - 1].key
  }

  /// Keys of connections whose owner no row has shown.
  var toShow: [UInt64] = []

  mutating func seek(_ key: UInt64) {
    sought.insert(key)
    hasNew = true
  }

  mutating func seekAgain(_ key: UInt64) { sought.insert(key) }

  mutating func takeSought() -> Set<UInt64> {
    hasNew = false
    presumed = [:]
    defer { sought = [] }
    return sought
  }
}
