// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Properties that hold for rows in any order, some repeated, some missing. A failure names its seed.
@Suite struct FoldPropertyTests {
  /// The rows of both ends of some whole lives, and rows that belong to none.
  private static func rows(_ random: inout SeededGenerator) -> [Transition] {
    var rows: [Transition] = []
    for number in 0..<UInt64.random(in: 1...6, using: &random) {
      var script = LifeScript(x: UInt32.random(in: 0 ... .max, using: &random))
      script.client.connection = 2 * number + 1
      script.server.connection = 2 * number + 2
      script.client.local.port = UInt16(truncatingIfNeeded: 50_000 + number)
      script.server.peer.port = script.client.local.port
      script.handshake()
      script.transfer(clientSends: 812, serverSends: 48_120)
      script.orderlyClose(Bool.random(using: &random) ? .client : .server, at: 5_800_000)
      rows += script.rows
    }
    for _ in 0..<Int.random(in: 0...6, using: &random) { rows.append(RandomTransition.make(&random)) }
    return rows
  }

  private static func disturbed(_ rows: [Transition], _ random: inout SeededGenerator) -> [Transition] {
    var rows = rows.filter { _ in Int.random(in: 0..<6, using: &random) > 0 }
    rows += rows.filter { _ in Int.random(in: 0..<5, using: &random) == 0 }
    return rows.shuffled(using: &random)
  }

  /// The ends of every life come from the rows, and no stay is longer than its life.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func lifecycles(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let rows = Self.disturbed(Self.rows(&random), &random)
    var tracker = LifecycleTracker(waitsForTimeWait: Bool.random(using: &random), limit: 4)
    var lives: [Lifecycle] = []
    for row in rows {
      tracker.apply(row) { lives.append($0) }
      #expect(tracker.count <= 4, "seed \(seed)")
    }
    tracker.finish { lives.append($0) }
    #expect(tracker.count == 0, "seed \(seed)")
    let connections = Set(rows.map(\.connection))
    var buffer = ByteBuffer()
    var ladder = LifecycleLadder(style: TableStyle(width: 80, utc: true))
    var json = LifecycleJSON()
    for life in lives {
      for side in Side.allCases {
        if let end = life[side] { #expect(connections.contains(end.facts.connection), "seed \(seed)") }
      }
      if let stay = life.establishedStay { #expect(stay.nanoseconds <= life.end, "seed \(seed)") }
      ladder.append(life, to: &buffer)
      json.append(life, to: &buffer)
    }
    #expect(lives.isEmpty == buffer.isEmpty, "seed \(seed)")
    // The seconds of a negative difference that became unsigned.
    #expect(!buffer.text.contains("18446744073"), "seed \(seed): \(buffer.text)")
  }

  /// The filter's result is that of its conditions, one at a time and all together.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func rowFilter(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let rows = Self.disturbed(Self.rows(&random), &random)
    var filter = RowFilter()
    var conditions: [(Transition) -> Bool] = []
    if Bool.random(using: &random) {
      filter.family = 4
      conditions.append { $0.isIPv4 }
    }
    if Bool.random(using: &random) {
      filter.localPorts = try PortSet(parsing: "80,50000-50003")
      conditions.append { $0.local.port == 80 || (50_000...50_003).contains($0.local.port) }
    }
    if Bool.random(using: &random) {
      filter.peerNetworks = [try #require(Network(parsing: "10.0.0.8/31"))]
      conditions.append { ["10.0.0.8", "10.0.0.9"].contains(AddressText.string($0.peer.address)) }
    }
    if Bool.random(using: &random) {
      filter.pids = [812]
      conditions.append { $0.ownerPID == 812 || $0.actorPID == 812 }
    }
    if Bool.random(using: &random) {
      filter.processes = [ShortName("curl")]
      conditions.append { $0.ownerName == ShortName("curl") || $0.actorName == ShortName("curl") }
    }
    for row in rows {
      #expect(filter.wants(row) == conditions.allSatisfy { $0(row) }, "seed \(seed)")
    }
    filter.states = [.closeWait]
    filter.longerThan = 1_000_000
    for row in rows {
      let isShown = (row.old == .closeWait || row.new == .closeWait) && row.stay?.nanoseconds ?? 0 >= 1_000_000
      #expect(filter.shows(row) == isShown, "seed \(seed)")
    }
  }

  /// A reader returns the rows in the order they have, in pieces of any size.
  @Test(arguments: 0..<50 as Range<UInt64>)
  func reader(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let rows = Self.disturbed(Self.rows(&random), &random)
    var writer = CSVWriter(columns: Column.allCases.shuffled(using: &random))
    var buffer = ByteBuffer()
    writer.appendHeader(to: &buffer)
    for row in rows { writer.append(row, to: &buffer) }
    let text = Array(buffer.text.utf8)
    var reader = TransitionReader(capacity: 4_096)
    var offset = 0
    var back: [Transition] = []
    var row = Transition()
    reading: while true {
      switch try reader.next(&row) {
      case .row: back.append(row)
      case .end: break reading
      case .needsBytes:
        _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          let count = min(.random(in: 1...500, using: &random), room.count, text.count - offset)
          room.copyBytes(from: text[offset..<offset + count])
          offset += count
          return count
        }
      }
    }
    #expect(back.map(RandomTransition.fields) == rows.map(RandomTransition.fields), "seed \(seed)")
    let wasCut = reader.wasCut
    #expect(!wasCut, "seed \(seed)")
  }
}
