// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Glibc
import TCPStateCore
import TestSupport
import Testing

/// Compares the ABI as Swift sees it with the header's numbers and the fixtures' offsets.
@Suite struct LayoutTests {
  /// Size and alignment, and the stride, which is what one record takes in an array.
  private func expectSize<T>(_ type: T.Type, _ size: Int, alignment: Int = 8) {
    #expect(MemoryLayout<T>.size == size, "\(type)")
    #expect(MemoryLayout<T>.stride == size, "\(type)")
    #expect(MemoryLayout<T>.alignment == alignment, "\(type)")
  }

  @Test func sizes() {
    expectSize(tcpstate_event.self, 248)
    expectSize(tcpstate_snapshot.self, 352)
    expectSize(tcpstate_shared.self, 88)
    expectSize(tcpstate_config.self, 56)
    expectSize(tcpstate_stays.self, 40 + 8 * 1920)
    expectSize(tcpstate_tally.self, 168)
    expectSize(tcpstate_network_key.self, 20, alignment: 4)
    #expect(EventDecoder.eventSize == 248)
    #expect(EventDecoder.snapshotSize == 352)
  }

  private static var fields: [(String, PartialKeyPath<tcpstate_event>)] {
    [
      ("version", \.version), ("kind", \.kind), ("state_old", \.state_old), ("state_new", \.state_new),
      ("flags", \.flags), ("error", \.error), ("timestamp_ns", \.timestamp_ns), ("cookie", \.cookie),
      ("socket_address", \.socket_address), ("cgroup_id", \.cgroup_id),
      ("local_address", \.local_address), ("peer_address", \.peer_address),
      ("local_port", \.local_port), ("peer_port", \.peer_port),
      ("timeouts", \.timeouts), ("backoff", \.backoff), ("reset_reason", \.reset_reason),
      ("owner_kind", \.owner_kind), ("netns", \.netns),
      ("interface_index", \.interface_index), ("user_id", \.user_id), ("lost_before", \.lost_before),
      ("owner_pid", \.owner_pid), ("actor_pid", \.actor_pid),
      ("owner_name", \.owner_name), ("actor_name", \.actor_name),
      ("bytes_sent", \.bytes_sent), ("bytes_retransmitted", \.bytes_retransmitted),
      ("bytes_received", \.bytes_received), ("bytes_acknowledged", \.bytes_acknowledged),
      ("send_unacknowledged", \.send_unacknowledged), ("send_next", \.send_next),
      ("write_sequence", \.write_sequence), ("receive_next", \.receive_next),
      ("copied_sequence", \.copied_sequence), ("send_window", \.send_window),
      ("receive_window", \.receive_window), ("congestion_window", \.congestion_window),
      ("slow_start_threshold", \.slow_start_threshold), ("smoothed_rtt_us8", \.smoothed_rtt_us8),
      ("rto_jiffies", \.rto_jiffies), ("retransmits", \.retransmits),
      ("segments_sent", \.segments_sent), ("segments_received", \.segments_received),
      ("total_rto_time_ms", \.total_rto_time_ms), ("linger2", \.linger2),
      ("congestion_control", \.congestion_control),
    ]
  }

  @Test func offsetsOfEvent() throws {
    let fixture = try HexFixture("transition.hex")
    #expect(Self.fields.count == fixture.offsets.count)
    for (name, path) in Self.fields {
      let offset = try #require(fixture.offsets[name], "\(name) is in the fixture")
      #expect(offset.claimed == offset.actual, "\(name)'s comment")
      #expect(MemoryLayout<tcpstate_event>.offset(of: path) == offset.actual, "\(name)")
    }
  }

  @Test func offsetsOfSnapshot() throws {
    let fields: [(String, PartialKeyPath<tcpstate_snapshot>)] = [
      ("jiffies", \.jiffies), ("timer_expires", \.timer_expires), ("fd", \.fd),
      ("last_acked_jiffies", \.last_acked_jiffies),
      ("accept_queue", \.accept_queue), ("accept_queue_limit", \.accept_queue_limit),
      ("request_queue", \.request_queue), ("request_age_us", \.request_age_us),
      ("entry_stamp_ms", \.entry_stamp_ms), ("syn_ack_timeouts", \.syn_ack_timeouts),
      ("socket_inode", \.socket_inode), ("ack_timer_jiffies", \.ack_timer_jiffies), ("delivered_ms", \.delivered_ms),
      ("last_data_received_jiffies", \.last_data_received_jiffies),
      ("last_data_sent_jiffies", \.last_data_sent_jiffies), ("first_timeout_ms", \.first_timeout_ms),
      ("probing_since_jiffies", \.probing_since_jiffies), ("least_rtt_jiffies", \.least_rtt_jiffies),
      ("details", \.details), ("probes", \.probes), ("pending_timer", \.pending_timer),
      ("defer_accept", \.defer_accept), ("unused", \.unused), ("syn_sent_ms", \.syn_sent_ms),
      ("mptcp_socket", \.mptcp_socket),
    ]
    let fixture = try HexFixture("snapshot.hex")
    #expect(Self.fields.count + fields.count == fixture.offsets.count)
    #expect(MemoryLayout<tcpstate_snapshot>.offset(of: \.event) == 0)
    for (name, path) in fields {
      let offset = try #require(fixture.offsets[name], "\(name) is in the fixture")
      #expect(offset.claimed == offset.actual, "\(name)'s comment")
      #expect(MemoryLayout<tcpstate_snapshot>.offset(of: path) == offset.actual, "\(name)")
    }
  }

  private func expectOffsets<T>(_ fields: [(PartialKeyPath<T>, Int)]) {
    for (path, offset) in fields { #expect(MemoryLayout<T>.offset(of: path) == offset, "\(path)") }
  }

  @Test func offsetsOfSharedMemory() {
    expectOffsets(
      [
        (\.lost, 0), (\.nested, 8), (\.wake_sent, 16), (\.snapshot_states, 24), (\.snapshot_minisocks_only, 28),
        (\.jiffies, 32), (\.jiffies_time_ns, 40), (\.attached_ns, 48), (\.untracked, 56), (\.reader_pid, 64),
        (\.snapshot_holders_only, 72), (\.mptcp_changes, 80),
      ] as [(PartialKeyPath<tcpstate_shared>, Int)])
  }

  @Test func offsetsOfConfiguration() {
    expectOffsets(
      [
        (\.wake_bytes, 0), (\.filter_cgroup, 8), (\.filter_cgroup_level, 16), (\.filter_family, 20),
        (\.filter_netns, 24), (\.filter_local_port, 28), (\.filter_peer_port, 32), (\.filter_local_network, 36),
        (\.filter_peer_network, 40), (\.filters, 44), (\.plain, 48), (\.pid_namespace, 52),
      ] as [(PartialKeyPath<tcpstate_config>, Int)])
    expectOffsets([(\.prefix_length, 0), (\.address, 4)] as [(PartialKeyPath<tcpstate_network_key>, Int)])
  }

  @Test func offsetsOfAggregates() {
    expectOffsets(
      [(\.count, 0), (\.at_least, 8), (\.total_ns, 16), (\.longest_ns, 24), (\.longest_at_least, 32), (\.buckets, 40)]
        as [(PartialKeyPath<tcpstate_stays>, Int)])
    expectOffsets(
      [(\.transitions, 0), (\.unmatched, 8), (\.untracked, 16), (\.minisocks, 24), (\.socket, 32), (\.open, 40)]
        as [(PartialKeyPath<tcpstate_tally>, Int)])
    #expect(TCPSTATE_STAY_BUCKETS == 1920)
    #expect(Int(TCPSTATE_STATES) == TCPState.arraySize)
  }

  /// Compared with the system's own table, <netinet/tcp.h>.
  @Test func stateNumbers() {
    let numbers: [(TCPState, Int)] = [
      (.established, TCP_ESTABLISHED), (.synSent, TCP_SYN_SENT), (.synReceived, TCP_SYN_RECV),
      (.finWait1, TCP_FIN_WAIT1), (.finWait2, TCP_FIN_WAIT2), (.timeWait, TCP_TIME_WAIT),
      (.closed, TCP_CLOSE), (.closeWait, TCP_CLOSE_WAIT), (.lastAck, TCP_LAST_ACK),
      (.listen, TCP_LISTEN), (.closing, TCP_CLOSING),
    ].map { ($0, Int($1)) }
    #expect(numbers.count == TCPState.all.count)
    for (state, number) in numbers { #expect(Int(state.number) == number, "\(state)") }
  }

  @Test func flagsAreSingleBits() {
    let flags = [
      TCPSTATE_FLAG_OWNED, TCPSTATE_FLAG_HAS_SOCKET, TCPSTATE_FLAG_DONE, TCPSTATE_FLAG_DEAD,
      TCPSTATE_FLAG_SEND_SHUTDOWN, TCPSTATE_FLAG_HAS_RTO_TIME, TCPSTATE_FLAG_HAS_ENTRY_STAMP,
      TCPSTATE_FLAG_BY_TRACER, TCPSTATE_FLAG_RESET_SENT, TCPSTATE_FLAG_RECEIVE_SHUTDOWN,
      TCPSTATE_FLAG_LINGER,
    ]
    var seen: Int32 = 0
    for flag in flags {
      #expect(flag.nonzeroBitCount == 1 && flag < 1 << 16, "fits the record's 16 bits")
      #expect(seen & flag == 0, "not used twice")
      seen |= flag
    }
  }

  @Test func resetReasonsAreTheRecords() {
    let numbers: [(ResetReason, Int32)] = [
      (.noSocket, TCPSTATE_RESET_NO_SOCKET), (.tcpAbortOnData, TCPSTATE_RESET_TCP_ABORT_ON_DATA),
      (.tcpAbortOnClose, TCPSTATE_RESET_TCP_ABORT_ON_CLOSE), (.tcpAbortOnLinger, TCPSTATE_RESET_TCP_ABORT_ON_LINGER),
      (.tcpDisconnectWithData, TCPSTATE_RESET_TCP_DISCONNECT_WITH_DATA),
      (.mptcpRstEmiddlebox, TCPSTATE_RESET_MPTCP_RST_EMIDDLEBOX), (.error, TCPSTATE_RESET_ERROR),
    ]
    for (reason, number) in numbers { #expect(Int32(reason.rawValue) == number, "\(reason)") }
    #expect(ResetReason.allCases.map { Int32($0.rawValue) } == Array(1...TCPSTATE_RESET_ERROR))
    #expect(ResetReason.allCases.allSatisfy { ResetReason(name: $0.name.description) == $0 })
    #expect(ResetReason(name: "not_specified") == nil && ResetReason(rawValue: 0) == nil)
  }

  @Test func ownerKindsAreTheRecords() {
    let numbers: [(OwnerKind, Int32)] = [
      (.holder, TCPSTATE_OWNER_HOLDER), (.reader, TCPSTATE_OWNER_READER), (.opener, TCPSTATE_OWNER_OPENER),
      (.inherited, TCPSTATE_OWNER_INHERITED),
    ]
    #expect(numbers.count == OwnerKind.allCases.count)
    for (kind, number) in numbers { #expect(OwnerKind(number: UInt8(number)) == kind, "\(kind)") }
    #expect(OwnerKind(number: 0) == nil && OwnerKind(number: 5) == nil)
  }

  /// A million connections take at most 200 MB.
  @Test func connectionIsSmall() {
    #expect(MemoryLayout<Connection>.stride <= 200)
  }
}
