// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Two connections at once, shown step by step as their rows arrive.
@Suite struct FollowGoldenTests {
  private static var rows: [Transition] {
    var rows: [Transition] = []
    for number in 0..<2 {
      var script = LifeScript(x: 3_063_428_173 + UInt32(number) * 7_919)
      script.client.connection += UInt64(number) << 12
      script.server.connection += UInt64(number) << 12
      script.client.local.port += UInt16(number)
      script.server.peer.port = script.client.local.port
      script.handshake()
      script.transfer(clientSends: 812, serverSends: 48_120)
      script.orderlyClose(number == 0 ? .client : .server, at: 5_800_000)
      rows += script.rows
    }
    return rows.sorted { $0.time < $1.time }
  }

  private static func follow(width: Int, asJSON: Bool) -> ByteBuffer {
    var follow = LifecycleFollow(style: TableStyle(width: 120, utc: true), relative: false, asJSON: asJSON)
    follow.resize(width: width)
    var tracker = LifecycleTracker(waitsForTimeWait: false)
    var buffer = ByteBuffer()
    var over: [Lifecycle] = []
    var open: Set<UInt64> = []
    for row in rows {
      tracker.apply(row) { over.append($0) }
      open.insert(row.connection)
      for connection in open.sorted() {
        guard let life = tracker.life(of: connection) else { continue }
        follow.append(life, now: row.time, isLast: false, to: &buffer)
      }
      for life in over { follow.append(life, now: row.time, isLast: true, to: &buffer) }
      over = []
    }
    tracker.finish { over.append($0) }
    for life in over { follow.append(life, now: .max >> 1, isLast: true, to: &buffer) }
    return buffer
  }

  @Test(arguments: [80, 120]) func golden(_ width: Int) throws {
    let buffer = Self.follow(width: width, asJSON: false)
    if let difference = try Golden("follow/\(width).txt").difference(from: buffer.withBytes { Data($0) }) {
      Issue.record(Comment(rawValue: difference))
    }
    for line in buffer.text.split(separator: "\n") { #expect(DisplayWidth.of(String(line)) <= width, "\(line)") }
  }

  /// Each step is written once, whenever it is complete.
  @Test func json() throws {
    let buffer = Self.follow(width: 120, asJSON: true)
    if let difference = try Golden("follow/steps.jsonl").difference(from: buffer.withBytes { Data($0) }) {
      Issue.record(Comment(rawValue: difference))
    }
    let lines = buffer.text.split(separator: "\n")
    #expect(Set(lines).count == lines.count)
    for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
  }
}
