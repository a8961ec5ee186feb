// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// The trace for Perfetto, byte for byte, and that nothing on a track overlaps.
@Suite struct PerfettoGoldenTests {
  enum Scenario: String, CaseIterable, Sendable {
    case textbook, clientAlone = "client-alone", reset, open, hostile, found, loss, empty

    var rows: [Transition] {
      guard self != .empty else { return [] }
      var script = LifeScript(ipv6: self == .clientAlone)
      if self == .hostile { script.client.ownerName = ShortName("\u{1b}[2J\"\\<b>") }
      if self == .found {
        script.go(.client, .closeWait, at: 0) { $0.old = .closeWait }
        script.client.time = 0  // since long before the trace
      }
      if self != .found { script.handshake() }
      switch self {
      case .reset:
        script.go(.client, .closed, at: 5_800_000) { $0.reason = .aborted }
        script.go(.server, .closed, at: 5_800_040) { $0.reason = .resetReceived }
      case .open, .hostile: break
      case .found:
        script.go(.server, .synReceived, at: 100) { $0.stay = nil }
        script.go(.server, .established, at: 20_000)
        script.go(.client, .lastAck, at: 50_000) {
          $0.stay = Stay(nanoseconds: 3_600_000_000_000, kind: .atLeast)
          $0.actorPID = 7
          $0.actorName = ShortName("killer")
        }
      default: script.orderlyClose(.client, at: 5_800_000)
      }
      return self == .clientAlone ? script.rows.filter { $0.role == .client } : script.rows
    }

    var losses: [Int: UInt64] { self == .loss ? [4: 1_234] : [:] }
  }

  static func trace(
    _ rows: [Transition], losses: [Int: UInt64] = [:], filter: RowFilter = RowFilter()
  ) -> ByteBuffer {
    var report = PerfettoReport(filter: filter)
    var buffer = ByteBuffer()
    report.begin(to: &buffer)
    for (index, row) in rows.enumerated() { report.receive(row, lossBefore: losses[index] ?? 0, to: &buffer) }
    report.finish(to: &buffer)
    return buffer
  }

  @Test(arguments: Scenario.allCases)
  func golden(_ scenario: Scenario) throws {
    let actual = Self.trace(scenario.rows, losses: scenario.losses).withBytes { Data($0) }
    if let difference = try Golden("perfetto/\(scenario.rawValue).json").difference(from: actual) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  private struct Event: Decodable {
    var ph: String
    var pid: UInt64
    var tid: UInt64
    var ts: Double?
    var dur: Double?
    var cat: String?
    var name: String?
    var id: UInt64?
  }

  private func events(_ rows: [Transition], filter: RowFilter = RowFilter()) throws -> [Event] {
    try JSONDecoder().decode([Event].self, from: Self.trace(rows, filter: filter).withBytes { Data($0) })
  }

  /// Whatever the rows say, all stays are drawn, none overlap, and arrows begin and end on slices.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func anyRows(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var rows: [Transition] = []
    var clock = LifeScript.start
    for index in 0..<400 {
      var row = LifeScript().client
      clock += UInt64.random(in: 0...2_000_000, using: &generator)
      row.time = clock - UInt64.random(in: 0...1_000_000, using: &generator)  // late, too
      row.sequence = UInt64(index + 1)
      row.connection = UInt64.random(in: 1...12, using: &generator)
      row.role = row.connection % 2 == 0 ? .client : .server
      row.local.port = UInt16(row.connection)
      row.peer.port = UInt16(row.connection ^ 1)
      row.peer.address = row.local.address
      row.initialSendSequence = nil
      row.initialReceiveSequence = nil
      row.ownerPID = Bool.random(using: &generator) ? 7 : nil
      row.old = TCPState(number: UInt8.random(in: 1...11, using: &generator))
      row.new = TCPState(number: UInt8.random(in: 1...11, using: &generator))
      if row.old == row.new { row.new = row.old == .closed ? .synSent : .closed }
      row.stay =
        Bool.random(using: &generator)
        ? Stay(nanoseconds: UInt64.random(in: 0...3_000_000, using: &generator), kind: .exact) : nil
      rows.append(row)
    }
    let events = try events(rows)
    #expect(events.count { $0.cat == "stay" } == rows.count { $0.stay != nil })
    var tracks: [UInt64: [(start: Int, end: Int)]] = [:]
    for event in events where event.ph == "X" {
      let start = Int((try #require(event.ts) * 1000).rounded())
      tracks[event.tid, default: []].append((start, start + Int((try #require(event.dur) * 1000).rounded())))
    }
    for slices in tracks.values {
      for (before, after) in zip(slices, slices.dropFirst()) { #expect(before.end <= after.start) }
    }
    for flow in events where flow.ph == "s" || flow.ph == "f" {
      let time = Int((try #require(flow.ts) * 1000).rounded())
      #expect(tracks[flow.tid, default: []].contains { $0.start <= time && time < $0.end })
    }
    #expect(events.count { $0.ph == "s" } == events.count { $0.ph == "f" })
    #expect(events.allSatisfy { ($0.ts ?? 0) >= 0 && ($0.dur ?? 0) >= 0 })
  }

  @Test func arrowsOfTheTextbook() throws {
    let events = try events(Scenario.textbook.rows)
    #expect(events.filter { $0.ph == "s" }.map(\.name) == ["SYN", "FIN", "FIN"])
    #expect(try self.events(Scenario.clientAlone.rows).allSatisfy { $0.ph != "s" })
  }

  /// Equal endpoints in two namespaces aren't one connection.
  @Test func twinsOfOtherNamespaces() throws {
    var rows = Scenario.textbook.rows
    for index in rows.indices where rows[index].role == .server {
      rows[index].initialReceiveSequence = 1
      rows[index].initialSendSequence = 2
    }
    #expect(try events(rows).allSatisfy { $0.ph != "s" })
  }

  @Test func filtered() throws {
    var filter = RowFilter()
    filter.processes = [ShortName("nginx")]
    filter.states = [.closeWait]
    let events = try events(Scenario.textbook.rows, filter: filter)
    #expect(events.filter { $0.ph == "X" }.map(\.name) == ["ESTABLISHED", "CLOSE-WAIT"])
    #expect(Set(events.filter { $0.ph == "X" }.map(\.pid)) == [812])
  }

  /// What a row doesn't say about its socket, an earlier one has said.
  @Test func laterRowsMayLackFacts() {
    let rows = Scenario.textbook.rows
    let bare = rows.map { row in
      guard row.old.isSynchronized else { return row }
      var bare = row
      (bare.role, bare.ownerPID, bare.ownerName, bare.netns) = (.unknown, nil, ShortName(), nil)
      (bare.local, bare.peer) = (.none, .none)
      (bare.initialSendSequence, bare.initialReceiveSequence) = (nil, nil)
      return bare
    }
    #expect(Self.trace(bare).text == Self.trace(rows).text)
  }

  /// A child is drawn below the process that took it over, not below its listener's.
  @Test func ownerOfTheWholeTrack() throws {
    var rows = Scenario.textbook.rows
    for index in rows.indices where rows[index].role == .server && rows[index].old == .listen {
      rows[index].ownerPID = 1
    }
    #expect(Set(try events(rows).filter { $0.ph == "X" }.map(\.pid)) == [8_123, 812])
  }
}
