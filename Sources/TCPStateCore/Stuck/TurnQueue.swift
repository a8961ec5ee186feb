// SPDX-License-Identifier: Apache-2.0
/// In which order the command of `stuck --exec` runs for the sockets that wait for it, of which only a few get a turn.
///
/// Sockets that got stuck while watching come before those that were there already, since these are known from
/// looking once. Among both, each process gets its turn, so that one leak doesn't hide the others; then the first come.
public struct TurnQueue<Element> {
  private struct Waiting {
    let element: Element
    let process: UInt32
    let isOlder: Bool
  }

  private let capacity: Int
  private var waiting: [Waiting] = []
  /// How many wait, by process: the older ones, and the others.
  private var counts: (older: [UInt32: Int], newer: [UInt32: Int]) = ([:], [:])
  /// Turns so far, by process; 0 stands for none.
  private var turns: [UInt32: Int] = [:]
  /// How many had to go for lack of room.
  public private(set) var dropped: UInt64 = 0

  public init(capacity: Int) {
    self.capacity = capacity
  }

  public var count: Int { waiting.count }
  public var isEmpty: Bool { waiting.isEmpty }

  /// - Parameters:
  ///   - process: who must act, by thread group id; `nil` if not known.
  ///   - isOlder: whether it was stuck before watching began.
  public mutating func add(_ element: Element, process: UInt32?, isOlder: Bool) {
    waiting.append(Waiting(element: element, process: process ?? 0, isOlder: isOlder))
    count(waiting[waiting.count - 1], 1)
    guard waiting.count > capacity else { return }
    dropped += 1
    _ = take(mostDispensable())
  }

  private mutating func count(_ entry: Waiting, _ change: Int) {
    if entry.isOlder {
      counts.older[entry.process, default: 0] += change
    } else {
      counts.newer[entry.process, default: 0] += change
    }
  }

  private mutating func take(_ index: Int) -> Waiting {
    let entry = waiting.remove(at: index)
    count(entry, -1)
    return entry
  }

  /// The last of the process that has most waiting, an older one if there is any.
  private func mostDispensable() -> Int {
    let mostOfOlder = counts.older.values.max() ?? 0
    let isOlder = mostOfOlder > 0
    let (counts, most) = isOlder ? (counts.older, mostOfOlder) : (counts.newer, counts.newer.values.max() ?? 0)
    return waiting.lastIndex { $0.isOlder == isOlder && counts[$0.process] == most } ?? waiting.count - 1
  }

  public mutating func next() -> Element? {
    var best: Int?
    for (index, entry) in waiting.enumerated() {
      guard let known = best.map({ waiting[$0] }) else {
        best = index
        continue
      }
      let isEarlier =
        entry.isOlder != known.isOlder
        ? known.isOlder : turns[entry.process, default: 0] < turns[known.process, default: 0]
      if isEarlier { best = index }
    }
    guard let best else { return nil }
    let entry = take(best)
    turns[entry.process, default: 0] += 1
    return entry.element
  }
}
