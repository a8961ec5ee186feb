// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// How long a listener's child was in SYN-RECEIVED, if the end of its handshake is the first event seen.
@Suite struct SynReceivedTests {
  private static let second: UInt64 = 1_000_000_000

  /// The row of a child that wasn't known, 1000 s after the tracer started.
  private static func row(
    _ change: (inout tcpstate_event) -> Void, in tracker: inout ConnectionTracker
  ) throws -> Transition {
    tracker.knowsExisting = true
    tracker.completeSince = 1
    var event = EventBuilder.transition(.synReceived, .established)
    event.cookie = 1
    event.timestamp_ns = 1000 * second
    event.local_port = 80
    event.peer_port = 40_000
    change(&event)
    var row = Transition()
    let isRow = withUnsafePointer(to: event) { tracker.apply($0, to: &row) }
    return try #require(isRow ? row : nil)
  }

  /// Kernels before 6.15 may not report a child's first transition, so an unknown child isn't unmatched, and its stay
  /// is that of the handshake.
  @Test func unknownChild() throws {
    var tracker = ConnectionTracker()
    let row = try Self.row({ $0.smoothed_rtt_us8 = 12_345 << 3 }, in: &tracker)
    #expect(row.stay == Stay(nanoseconds: 12_345_000, kind: .exact))
    #expect(row.role == .server && row.new == .established)
    #expect(tracker.unmatched == 0)
  }

  /// In other states an unknown socket is unmatched, and its stay has a lower bound.
  @Test func unknownSocket() throws {
    var tracker = ConnectionTracker()
    let row = try Self.row(
      {
        $0.state_old = TCPState.established.number
        $0.state_new = TCPState.closeWait.number
      }, in: &tracker)
    #expect(row.stay == Stay(nanoseconds: 1000 * Self.second - 1, kind: .atLeast))
    #expect(tracker.unmatched == 1)
  }

  /// 1 s, doubled each time (RFC 6298, section 2); more than seven retransmissions count as seven.
  @Test(arguments: [(1, 1), (2, 3), (3, 7), (6, 63), (7, 127), (8, 127), (255, 127)] as [(UInt8, UInt64)])
  func retransmissions(_ count: UInt8, _ seconds: UInt64) throws {
    var tracker = ConnectionTracker()
    let row = try Self.row({ $0.retransmits = UInt32(count) }, in: &tracker)
    #expect(row.stay == Stay(nanoseconds: seconds * Self.second, kind: .atLeast))
    #expect(row.synAckRetransmits == UInt32(count))
  }

  /// Newer kernels sum the timeouts.
  @Test func sumOfTimeouts() throws {
    var tracker = ConnectionTracker()
    let row = try Self.row(
      {
        $0.retransmits = 2
        $0.flags = UInt16(TCPSTATE_FLAG_HAS_RTO_TIME)
        $0.total_rto_time_ms = 3_100
      }, in: &tracker)
    #expect(row.stay == Stay(nanoseconds: 3_100_000_000, kind: .exact))
  }
}
