// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import TCPStateCore
import Testing

@Suite struct TransitionMetricsTests {
  /// Series exist before anything has happened, so that rates and alerts begin at zero.
  @Test func zeros() {
    let metrics = ExporterMetrics(ExporterLimits())
    let samples = metrics.samples()
    for state in TCPState.all where state != .closed {
      let name = state.name(.openTelemetry)
      #expect(samples["tcpstate_connections{state=\"\(name)\"}"] == "0")
      #expect(samples["tcpstate_stay_seconds_count{state=\"\(name)\"}"] == "0")
    }
    #expect(samples["tcpstate_connections{state=\"closed\"}"] == nil)
    #expect(samples["tcpstate_transitions_total{from=\"established\",to=\"close_wait\"}"] == "0")
    #expect(samples["tcpstate_connection_ends_total{reason=\"reset_received\",role=\"server\"}"] == "0")
    #expect(samples["tcpstate_time_wait_ends_total{reason=\"overflow\"}"] == "0")
    #expect(samples["tcpstate_retransmitted_handshake_segments_total{segment=\"syn-ack\"}"] == "0")
    #expect(samples.series(of: "tcpstate_transitions_total").count == 26)
  }

  @Test func transitionsAndStays() {
    var metrics = ExporterMetrics(ExporterLimits())
    for stay in [5_000_000, 70_000_000_000] as [UInt64] {
      metrics.transitions.receive(Transition(.established, .closeWait, stay: stay))
    }
    var found = Transition(.established, .established)
    found.source = .snapshot
    metrics.transitions.receive(found)
    metrics.transitions.receive(Transition(TCPState(number: 14), .closed))
    let samples = metrics.samples()
    #expect(samples["tcpstate_transitions_total{from=\"established\",to=\"close_wait\"}"] == "2")
    #expect(samples["tcpstate_transitions_total{from=\"established\",to=\"established\"}"] == nil)
    #expect(samples["tcpstate_transitions_total{from=\"unknown\",to=\"closed\"}"] == "1")
    #expect(samples["tcpstate_stay_seconds_sum{state=\"established\"}"] == "70.005000000")
    #expect(samples["tcpstate_stay_seconds_bucket{state=\"established\",le=\"60.0\"}"] == "1")
    #expect(samples["tcpstate_stay_seconds_bucket{state=\"established\",le=\"600.0\"}"] == "2")
  }

  @Test func staysKnownOnlyInPart() {
    var metrics = ExporterMetrics(ExporterLimits())
    var row = Transition(.established, .closeWait)
    row.stay = Stay(nanoseconds: second, kind: .atLeast)
    metrics.transitions.receive(row)
    row.stay = nil
    metrics.transitions.receive(row)
    let samples = metrics.samples()
    #expect(samples["tcpstate_stays_at_least_total{state=\"established\"}"] == "1")
    #expect(samples["tcpstate_stay_seconds_count{state=\"established\"}"] == "1")
  }

  @Test func handshakesOfBothRoles() {
    var metrics = ExporterMetrics(ExporterLimits())
    metrics.transitions.receive(Transition(.synSent, .established, stay: 2_000_000))
    metrics.transitions.receive(Transition(.synReceived, .established, stay: 50_000, role: .server))
    // Neither a refused one, nor a simultaneous open, whose SYN-SENT is not the handshake.
    metrics.transitions.receive(Transition(.synSent, .closed, stay: 1_000_000, reason: .refused))
    metrics.transitions.receive(Transition(.synReceived, .established, stay: 1_000_000, role: .client))
    let samples = metrics.samples()
    #expect(samples["tcpstate_handshake_seconds_count{role=\"client\"}"] == "1")
    #expect(samples["tcpstate_handshake_seconds_sum{role=\"client\"}"] == "0.002000000")
    #expect(samples["tcpstate_handshake_seconds_bucket{role=\"server\",le=\"0.0001\"}"] == "1")
  }

  /// A connection ends once, whether it goes through TIME-WAIT or not.
  @Test func endsCountOnce() {
    var metrics = ExporterMetrics(ExporterLimits())
    metrics.transitions.receive(Transition(.finWait2, .timeWait, reason: .fin))
    metrics.transitions.receive(Transition(.timeWait, .closed, reason: .reused))
    metrics.transitions.receive(Transition(.lastAck, .closed, role: .server, reason: .fin))
    metrics.transitions.receive(Transition(.established, .closed, role: .unknown, reason: .resetReceived))
    metrics.transitions.receive(Transition(.listen, .closed, role: .listener))
    let samples = metrics.samples()
    #expect(samples["tcpstate_connection_ends_total{reason=\"fin\",role=\"client\"}"] == "1")
    #expect(samples["tcpstate_connection_ends_total{reason=\"fin\",role=\"server\"}"] == "1")
    #expect(samples["tcpstate_connection_ends_total{reason=\"reset_received\",role=\"unknown\"}"] == "1")
    #expect(samples["tcpstate_connection_ends_total{reason=\"reused\",role=\"client\"}"] == "0")
    #expect(samples["tcpstate_time_wait_ends_total{reason=\"reused\"}"] == "1")
    let total = samples.series(of: "tcpstate_connection_ends_total").compactMap { samples[$0].flatMap { Int($0) } }
    #expect(total.reduce(0, +) == 3)
  }

  @Test func retransmissions() {
    var metrics = ExporterMetrics(ExporterLimits())
    var row = Transition(.synSent, .closed, reason: .timeout)
    row.retransmits = 6
    metrics.transitions.receive(row)
    row = Transition(.synReceived, .established, role: .server)
    (row.synAckRetransmits, row.retransmits) = (2, 0)
    metrics.transitions.receive(row)
    // Payload that is sent again isn't of the handshake.
    row = Transition(.established, .closeWait)
    (row.retransmits, row.synAckRetransmits) = (9, 2)
    metrics.transitions.receive(row)
    let samples = metrics.samples()
    #expect(samples["tcpstate_retransmitted_handshake_segments_total{segment=\"syn\"}"] == "6")
    #expect(samples["tcpstate_retransmitted_handshake_segments_total{segment=\"syn-ack\"}"] == "2")
  }
}
