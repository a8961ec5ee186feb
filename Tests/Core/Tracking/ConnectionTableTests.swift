// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct ConnectionTableTests {
  /// 200,000 random steps give the same results as a dictionary.
  @Test(arguments: [(seed: UInt64(1), keys: UInt64(300)), (seed: 2, keys: 40_000), (seed: 3, keys: .max)])
  func againstDictionary(_ run: (seed: UInt64, keys: UInt64)) {
    var random = SeededGenerator(seed: run.seed)
    var table = ConnectionTable()
    var expected: [UInt64: UInt32] = [:]
    var recent: [UInt64] = []
    for step in 0..<200_000 {
      let isKnown = !recent.isEmpty && Bool.random(using: &random)
      let key = isKnown ? recent.randomElement(using: &random)! : UInt64.random(in: 1..<run.keys, using: &random)
      if recent.count < 2000 { recent.append(key) } else { recent[step % 2000] = key }
      let found = table.find(key)
      guard found?.pointee.netns == expected[key], found == nil || found?.pointee.key == key else {
        Issue.record("step \(step): found \(String(describing: found?.pointee.netns)) for \(key)")
        return
      }
      if found != nil, Int.random(in: 0..<3, using: &random) > 0 {
        table.remove(key)
        expected[key] = nil
      } else if found == nil {
        table.insert(key).pointee.netns = UInt32(step)
        expected[key] = UInt32(step)
      } else {
        table.remove(key &+ 1)
        expected[key &+ 1] = nil
      }
      guard table.count == expected.count else {
        Issue.record("step \(step): \(table.count) instead of \(expected.count)")
        return
      }
    }
    let wrong = expected.filter { table.find($0.key)?.pointee.netns != $0.value }
    #expect(wrong.count == 0)
    var visited = 0
    table.forEach {
      if expected[$0.pointee.key] == $0.pointee.netns { visited += 1 }
    }
    #expect(visited == expected.count)
    #expect(table.count == expected.count)
  }

  @Test func pointersStayValidWhileItGrows() {
    var table = ConnectionTable()
    let first = table.insert(42)
    first.pointee.netns = 7
    for key in 100..<50_000 as Range<UInt64> { _ = table.insert(key) }
    #expect(table.find(42) == first)
    #expect(first.pointee.netns == 7)
  }

  @Test func aReusedSlotIsFresh() {
    var table = ConnectionTable()
    table.insert(1).pointee.bytesSent = 99
    table.remove(1)
    #expect(table.find(1) == nil)
    let again = table.insert(2)
    #expect(again.pointee.bytesSent == 0)
    #expect(again.pointee.key == 2)
    #expect(table.count == 1)
  }

  /// Memory depends on the most connections at one time, not on all there ever were.
  @Test func memoryIsBounded() {
    var table = ConnectionTable()
    for key in 0..<1000 as Range<UInt64> { _ = table.insert(key) }
    let before = table.allocatedBytes
    for key in 1000..<100_000 as Range<UInt64> {
      table.remove(key - 1000)
      _ = table.insert(key)
    }
    #expect(table.count == 1000)
    #expect(table.allocatedBytes <= before + 8192)
  }

  /// Minisocks are also found by their addresses, until they are removed.
  @Test func minisocksAgainstDictionary() {
    var random = SeededGenerator(seed: 4)
    var table = ConnectionTable()
    var byPort: [UInt16: UInt64] = [:]
    let peer = Endpoint(address: IPAddress(v4: 0x0a00_0009), port: 80)
    func local(_ port: UInt16) -> Endpoint { Endpoint(address: IPAddress(v4: 0x0a00_0005), port: port) }
    for key in 1...100_000 as ClosedRange<UInt64> {
      let port = UInt16.random(in: 1...3000, using: &random)
      let found = table.findMinisock(local: local(port), peer: peer, netns: 7)
      guard found?.pointee.key == byPort[port] else {
        Issue.record("step \(key), port \(port): found a different connection")
        return
      }
      if let found {
        if Bool.random(using: &random) { table.setMinisock(found, false) }
        table.remove(found.pointee.key)
        byPort[port] = nil
      } else {
        let connection = table.insert(key)
        connection.pointee.local = local(port)
        connection.pointee.peer = peer
        connection.pointee.netns = 7
        table.setMinisock(connection, true)
        byPort[port] = key
      }
    }
    #expect(table.minisockCount == byPort.count)
    #expect(table.count == byPort.count)
    #expect(table.findMinisock(local: local(1), peer: peer, netns: 8) == nil, "another namespace")
  }
}
