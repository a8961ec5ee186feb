// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// Which sockets the command of `--exec` runs for.
@Suite struct TurnQueueTests {
  private static func take(_ queue: inout TurnQueue<String>, _ count: Int) -> [String] {
    (0..<count).compactMap { _ in queue.next() }
  }

  /// Fifteen that were there before don't use up the turns of those that get stuck now.
  @Test func newOnesComeFirst() {
    var queue = TurnQueue<String>(capacity: 100)
    for number in 0..<15 { queue.add("old \(number)", process: 1, isOlder: true) }
    #expect(Self.take(&queue, 1) == ["old 0"])
    queue.add("new", process: 2, isOlder: false)
    queue.add("new of the same", process: 1, isOlder: false)
    #expect(Self.take(&queue, 3) == ["new", "new of the same", "old 1"])
    #expect(queue.count == 13)
  }

  /// One process's leak doesn't hide another's.
  @Test func eachProcessGetsItsTurn() {
    var queue = TurnQueue<String>(capacity: 100)
    for number in 0..<5 { queue.add("a\(number)", process: 1, isOlder: false) }
    #expect(Self.take(&queue, 2) == ["a0", "a1"])
    for number in 0..<2 { queue.add("b\(number)", process: 2, isOlder: false) }
    queue.add("nobody's", process: nil, isOlder: false)
    #expect(Self.take(&queue, 9) == ["b0", "nobody's", "b1", "a2", "a3", "a4"])
    #expect(queue.isEmpty && queue.dropped == 0)
  }

  /// What goes is what there is most of, and what was there before.
  @Test func fullQueue() {
    var queue = TurnQueue<String>(capacity: 4)
    for number in 0..<3 { queue.add("a\(number)", process: 1, isOlder: false) }
    queue.add("old", process: 2, isOlder: true)
    queue.add("b", process: 2, isOlder: false)
    #expect(queue.count == 4 && queue.dropped == 1)
    queue.add("c", process: 3, isOlder: false)
    #expect(queue.dropped == 2)
    #expect(Self.take(&queue, 5) == ["a0", "b", "c", "a1"])
  }
}
