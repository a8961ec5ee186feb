// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import TCPStateCore
import Testing

@Suite struct PortUseTests {
  private let here = IPAddress(v4: 0x0a00_0001)

  private func row(
    _ port: UInt16, to peer: UInt32 = 0x0a00_0002, peerPort: UInt16 = 443, _ state: TCPState = .established,
    role: Role = .client, netns: UInt32 = 1
  ) -> Transition {
    var row = Transition(state, state, role: role)
    row.netns = netns
    row.local = Endpoint(address: here, port: port)
    row.peer = Endpoint(address: IPAddress(v4: peer), port: peerPort)
    return row
  }

  private func pairs(_ rows: [Transition], _ range: ClosedRange<UInt16> = 40_000...40_009) -> [PortUse.Pair] {
    var use = PortUse(supplies: [1: PortSupply(range: range, reserved: [40_009...40_009])])
    for row in rows { use.add(row) }
    return use.pairs()
  }

  /// Per pair of source address and destination, in whatever state, without what doesn't take a port of the range.
  @Test func used() {
    let found = pairs([
      row(40_000), row(40_001, .timeWait), row(40_001, .timeWait), row(40_002, .synSent), row(40_000, to: 0x0a00_0003),
      row(443, role: .server), row(39_999), row(40_009), row(40_003, role: .server), row(40_004, netns: 2),
    ])
    #expect(found.map(\.used) == [3, 1])
    #expect(found.map(\.available) == [9, 9])
    #expect(found.first?.destination.port == 443 && found.first?.netns == 1)
  }

  /// Of a connection older than the tracer it isn't known which end connected.
  @Test func olderConnections() {
    var listener = row(40_005, .listen, role: .listener)
    listener.peer = .none
    let found = pairs([row(40_005, role: .unknown), row(40_006, role: .unknown), listener])
    #expect(found.map(\.used) == [1])
  }

  private func samples(_ pairs: [PortUse.Pair], ranks: Int = 2) -> (Samples, [String]) {
    var limits = ExporterLimits()
    limits.portPairs = ranks
    var metrics = ExporterMetrics(limits)
    metrics.take([], listeners: [], now: second, stayOf: { _ in nil }, containerOf: { _ in nil })
    let lines = metrics.take(pairs, now: second)
    return (metrics.samples(), lines)
  }

  @Test func series() {
    let rows =
      (40_000...40_008 as ClosedRange<UInt16>).map { row($0) } + (40_000...40_004).map { row($0, to: 0x0a00_0003) }
      + [row(40_000, to: 0x0a00_0004)]
    let (samples, lines) = samples(pairs(rows))
    #expect(samples["tcpstate_ephemeral_ports_used{rank=\"1\"}"] == "9")
    #expect(samples["tcpstate_ephemeral_ports_used{rank=\"2\"}"] == "5")
    #expect(samples["tcpstate_ephemeral_ports_used{rank=\"3\"}"] == nil)
    #expect(samples["tcpstate_ephemeral_ports_available{rank=\"2\"}"] == "9")
    #expect(samples["tcpstate_ephemeral_port_pairs_above{threshold=\"0.5\"}"] == "2")
    #expect(samples["tcpstate_ephemeral_port_pairs_above{threshold=\"0.95\"}"] == "1")
    // Which pair it is stands in the log, and in no label.
    #expect(lines.count == 1)
    #expect(lines.first?.hasPrefix("ephemeral ports from 10.0.0.1 to 10.0.0.2:443: 9 of 9 are in use (100 %)") == true)
    #expect(!samples.text.contains("10.0.0"))
  }

  @Test func theSamePairIsNamedNowAndThen() {
    var ports = PortShares(ranks: 1)
    let full = pairs((40_000...40_008 as ClosedRange<UInt16>).map { row($0) })
    #expect(ports.take(full, now: second).count == 1)
    #expect(ports.take(full, now: 600 * second).isEmpty)
    #expect(ports.take(full, now: 601 * second).count == 1)
    #expect(ports.take([], now: 602 * second).isEmpty)
  }
}
