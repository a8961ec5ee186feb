// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct LifecycleTrackerTests {
  private static func whole(_ number: UInt64, at micros: UInt64) -> [Transition] {
    var script = LifeScript(x: UInt32(number &* 7_919), y: UInt32(number &* 104_729 &+ 1))
    script.handshake()
    script.transfer(clientSends: 1, serverSends: 2)
    script.orderlyClose(.client, at: 100_000)
    return script.rows.map { row in
      var row = row
      row.connection = row.connection + 2 * number
      row.time += micros * 1_000
      return row
    }
  }

  /// Many interleaved lives come out separately, each joined, and none is kept.
  @Test func mixed() {
    let rows = (0..<500).flatMap { Self.whole(UInt64($0), at: UInt64($0) * 37) }.sorted { $0.time < $1.time }
    var tracker = LifecycleTracker(waitsForTimeWait: true)
    var lives: [Lifecycle] = []
    for row in rows { tracker.apply(row) { lives.append($0) } }
    #expect(lives.count == 500)
    #expect(tracker.count == 0)
    #expect(lives.allSatisfy { $0.isJoined && $0.steps.count == 12 })
    #expect(lives.allSatisfy { life in life.server?.facts.connection == life.id + 1 })
  }

  /// Live, a life is over before TIME-WAIT ends, and that late end begins no new life.
  @Test func live() {
    let rows = Self.whole(0, at: 0)
    var tracker = LifecycleTracker(waitsForTimeWait: false)
    var lives: [Lifecycle] = []
    for row in rows.dropLast() { tracker.apply(row) { lives.append($0) } }
    #expect(lives.count == 1)
    #expect(lives.first?.steps.last?.basis == .expected)
    tracker.apply(rows[rows.count - 1]) { lives.append($0) }
    #expect(lives.count == 1)
    #expect(tracker.count == 0)
  }

  /// An end that is over at once waits for its twin, but not forever.
  @Test func twinComesLater() {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0)
    script.go(.client, .established, at: 300_000)
    script.go(.client, .closed, at: 300_010) { $0.reason = .aborted }
    var tracker = LifecycleTracker(waitsForTimeWait: false)
    var lives: [Lifecycle] = []
    for row in script.rows { tracker.apply(row) { lives.append($0) } }
    #expect(lives.isEmpty)
    tracker.advance(to: LifeScript.start + 799_000_000) { lives.append($0) }
    #expect(lives.isEmpty)
    var joined = tracker
    tracker.advance(to: LifeScript.start + 801_000_000) { lives.append($0) }
    #expect(lives.count == 1 && lives.first?.isJoined == false)

    lives = []
    script.rows = []
    script.go(.server, .synReceived, at: 600_000)
    script.go(.server, .established, at: 600_020)
    script.go(.server, .closed, at: 600_030) { $0.reason = .resetReceived }
    for row in script.rows { joined.apply(row) { lives.append($0) } }
    #expect(lives.count == 1 && lives.first?.isJoined == true)
  }

  /// All SYN-ACKs were lost. The client never learned ISS of the server, and gave up first, or last.
  @Test(arguments: [UInt64(300_000), 3_000_000, 130_000_000], [true, false])
  func unansweredWithItsRequest(_ givesUp: UInt64, _ waits: Bool) {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0) {
      $0.initialSendSequence = nil
      $0.initialReceiveSequence = nil
      $0.local.port = 0
    }
    script.client.local.port = 51_234
    script.client.initialSendSequence = script.server.initialReceiveSequence
    func giveUp() {
      script.go(.client, .closed, at: givesUp) {
        $0.reason = .timeout
        $0.initialReceiveSequence = nil
      }
    }
    if givesUp < 1_000_000 { giveUp() }
    // Reported with its first repeated SYN-ACK, a second later.
    script.go(.server, .synReceived, at: 40) {
      $0.source = .derived
      $0.stay = nil
    }
    if givesUp > 1_000_000 { giveUp() }
    script.go(.server, .closed, at: givesUp + 5_000_000) {
      $0.source = .derived
      $0.reason = .timeout
    }
    let lives = script.lives(waits: waits)
    #expect(lives.count == 1 && lives.first?.isJoined == true)
    #expect(
      script.steps() == [
        "1 client SYN 3063428173 unanswered SYN-SENT",
        "2 server SYN ACK 918230011 3063428174 unanswered SYN-RECEIVED",
        "- client CLOSED (timeout)", "- server CLOSED (timeout)",
      ])
  }

  /// Another client's request isn't joined, nor is one of a client that was refused.
  @Test(arguments: [1, 2, 3]) func unansweredWithoutItsRequest(_ difference: Int) {
    var script = LifeScript()
    script.go(.server, .synReceived, at: 40) {
      $0.source = .derived
      $0.stay = nil
    }
    script.client.initialReceiveSequence = nil
    script.go(.client, .synSent, at: 50) { $0.initialSendSequence = nil }
    script.client.initialSendSequence = script.server.initialReceiveSequence
    script.go(.client, .closed, at: 3_000_000) {
      $0.reason = difference == 3 ? .refused : .timeout
      if difference == 1 { $0.initialSendSequence = 7 }
      if difference == 2 { $0.local.port = 7 }
    }
    #expect(script.lives().count == 2)
  }

  /// A client that nobody answers is handed out once no request can come any more.
  @Test func unansweredIsHandedOut() {
    var script = LifeScript()
    script.client.initialReceiveSequence = nil
    script.go(.client, .synSent, at: 0)
    script.go(.client, .closed, at: 300_000) { $0.reason = .aborted }
    var tracker = LifecycleTracker(waitsForTimeWait: false)
    var lives: [Lifecycle] = []
    for row in script.rows { tracker.apply(row) { lives.append($0) } }
    #expect(lives.isEmpty)
    tracker.advance(to: LifeScript.start + 1_300_000_000) { lives.append($0) }
    #expect(lives.count == 1 && tracker.count == 0)
  }

  @Test func bounded() {
    var tracker = LifecycleTracker(waitsForTimeWait: true, limit: 100)
    var lives: [Lifecycle] = []
    for number in 0..<10_000 {
      var row = Transition()
      row.connection = UInt64(number + 1)
      row.time = UInt64(number)
      row.role = .client
      row.new = .synSent
      tracker.apply(row) { lives.append($0) }
    }
    #expect(tracker.count == 100)
    #expect(tracker.evicted == 9_900)
    #expect(lives.map(\.id) == (1...9_900).map { UInt64($0) }, "the oldest first")
  }

  /// The same socket connects again after it was refused.
  @Test func sameSocketAgain() {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0)
    script.go(.client, .closed, at: 60) { $0.reason = .refused }
    script.go(.client, .synSent, at: 100)
    script.go(.client, .closed, at: 160) { $0.reason = .refused }
    #expect(script.lives().count == 2)
  }

  /// The same addresses in two network namespaces are two connections.
  @Test func sameAddressesElsewhere() {
    var first = LifeScript(x: 1, y: 2)
    first.handshake()
    var second = LifeScript(x: 3, y: 4)
    second.handshake()
    let others = second.rows.map { row in
      var row = row
      row.connection += 0x10
      row.netns = 9
      return row
    }
    var tracker = LifecycleTracker(waitsForTimeWait: true)
    var lives: [Lifecycle] = []
    for row in first.rows + others { tracker.apply(row) { lives.append($0) } }
    tracker.finish { lives.append($0) }
    #expect(lives.count == 2)
    #expect(
      lives.allSatisfy {
        $0.isJoined && $0.client?.facts.initialSendSequence == $0.server?.facts.initialReceiveSequence
      })
  }

  /// Rows in any order and with any states are handled.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func hostileRows(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var tracker = LifecycleTracker(waitsForTimeWait: seed % 2 == 0, limit: 50)
    var count = 0
    for _ in 0..<5_000 {
      var row = Transition()
      row.connection = UInt64.random(in: 1...30, using: &random)
      row.time = UInt64.random(in: 0...10_000_000_000, using: &random)
      row.role = Role.allCases.randomElement(using: &random) ?? .unknown
      row.old = TCPState(number: UInt8.random(in: 0...15, using: &random))
      row.new = TCPState(number: UInt8.random(in: 0...15, using: &random))
      row.reason = Reason.allCases.randomElement(using: &random)
      row.stay = Stay(nanoseconds: UInt64.random(in: 0...UInt64.max, using: &random), kind: .exact)
      row.initialSendSequence = UInt32.random(in: 0...3, using: &random)
      row.initialReceiveSequence = UInt32.random(in: 0...3, using: &random)
      tracker.apply(row) { count += $0.steps.count }
      tracker.advance(to: row.time) { count += $0.steps.count }
    }
    tracker.finish { count += $0.steps.count }
    #expect(count > 0 && tracker.count == 0)
  }
}
