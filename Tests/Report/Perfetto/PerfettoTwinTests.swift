// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Arrows and numbers of connections when several namespaces have the same addresses and ports.
@Suite struct PerfettoTwinTests {
  private static func rows(_ number: UInt64, netns: UInt32, address: String = "127.0.0.1") -> [Transition] {
    var script = LifeScript()
    for side in Side.allCases {
      script.edit(side) { end in
        (end.netns, end.connection) = (netns, end.connection + 2 * number)
        end.local.address = IPAddress(parsing: address) ?? .unspecified
        end.peer.address = end.local.address
        (end.initialSendSequence, end.initialReceiveSequence) = (nil, nil)
      }
    }
    script.go(.client, .synSent, at: number)
    script.go(.client, .established, at: 100 + number)
    script.go(.server, .synReceived, at: 110 + number)
    script.go(.server, .established, at: 130 + number)
    script.orderlyClose(.client, at: 50_000 + 10 * number)
    return script.rows
  }

  private static func report(_ rows: [Transition]) throws -> (events: [[String: Any]], count: UInt64) {
    var report = PerfettoReport()
    var buffer = ByteBuffer()
    report.begin(to: &buffer)
    for row in rows.sorted(by: { $0.time < $1.time }) { report.receive(row, lossBefore: 0, to: &buffer) }
    report.finish(to: &buffer)
    let json = try JSONSerialization.jsonObject(with: Data(buffer.text.utf8))
    return (json as? [[String: Any]] ?? [], report.count)
  }

  /// The connections whose tracks an arrow joins, by number.
  private static func arrows(_ events: [[String: Any]]) -> [(from: Int, to: Int)] {
    func tracks(_ phase: String) -> [Int: Int] {
      Dictionary(
        uniqueKeysWithValues: events.filter { $0["ph"] as? String == phase }
          .map { ($0["id"] as? Int ?? 0, $0["tid"] as? Int ?? 0) })
    }
    let (starts, ends) = (tracks("s"), tracks("f"))
    return starts.compactMap { id, from in ends[id].map { (from, $0) } }
  }

  @Test func arrowsStayInTheirNamespace() throws {
    let (events, count) = try Self.report(Self.rows(0, netns: 1) + Self.rows(1, netns: 2))
    let arrows = Self.arrows(events)
    #expect(count == 2)
    #expect(arrows.count >= 4)
    // Tracks are numbered as their sockets were first seen: clients 0 and 1, servers 2 and 3.
    let first = arrows.map { min($0.from, $0.to) }.min() ?? 0
    #expect(arrows.allSatisfy { abs($0.from - $0.to) == 2 }, "\(arrows.map { ($0.from - first, $0.to - first) })")
  }

  /// Both ends are one connection, and a listener is none, as on the page.
  @Test func countsConnectionsAsThePage() throws {
    var listener = Transition()
    (listener.connection, listener.role, listener.time) = (99, .listener, LifeScript.start - 1)
    listener.new = .listen
    let rows =
      [listener] + Self.rows(0, netns: 1) + Self.rows(1, netns: 2)
      + Self.rows(2, netns: 3).filter { $0.role == .client }
    var page = HTMLReport()
    var buffer = ByteBuffer()
    page.begin(to: &buffer)
    for row in rows.sorted(by: { $0.time < $1.time }) { page.receive(row, lossBefore: 0, to: &buffer) }
    page.finish(to: &buffer)
    let counts = (page.count, try Self.report(rows).count)
    #expect(counts == (3, 3))
  }
}
