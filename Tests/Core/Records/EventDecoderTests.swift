// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Foundation
import TCPStateCore
import TestSupport
import Testing

@Suite struct EventDecoderTests {
  private func event(_ bytes: [UInt8]) throws -> tcpstate_event {
    try bytes.withUnsafeBytes { try EventDecoder.event($0) }
  }

  private func snapshot(_ bytes: [UInt8]) throws -> tcpstate_snapshot {
    try bytes.withUnsafeBytes { try EventDecoder.snapshot($0) }
  }

  @Test func identityOfATransition() throws {
    let event = try event(HexFixture("transition.hex").bytes)
    #expect(event.version == 3)
    #expect(Int32(event.kind) == TCPSTATE_KIND_TRANSITION)
    #expect(TCPState(number: event.state_old) == .established)
    #expect(TCPState(number: event.state_new) == .closeWait)
    #expect(
      Int32(event.flags) == TCPSTATE_FLAG_HAS_SOCKET | TCPSTATE_FLAG_DONE | TCPSTATE_FLAG_HAS_RTO_TIME
        | TCPSTATE_FLAG_RESET_SENT)
    #expect(event.error == 104)
    #expect(event.timestamp_ns == 3_000_000_012_400_000)
    #expect(event.cookie == 0x1122_3344_5566_7788)
    #expect(event.socket_address == 0xffff_8881_0a2b_3c40)
    #expect(event.cgroup_id == 4711)
    let (local, peer) = withUnsafeBytes(of: event) { bytes in
      (
        IPAddress(networkOrder: bytes.baseAddress! + 40), IPAddress(networkOrder: bytes.baseAddress! + 56)
      )
    }
    #expect(local == IPAddress(parsing: "10.0.0.5"))
    #expect(peer == IPAddress(parsing: "2001:db8:ffff:1234:5678:9abc:def0:1234"))
    #expect(event.local_port == 51_234)
    #expect(event.peer_port == 443)
    #expect(event.timeouts == 3)
    #expect(event.backoff == 2)
    #expect(ResetReason(rawValue: event.reset_reason) == .tcpAbortOnLinger)
    #expect(OwnerKind(number: event.owner_kind) == .holder)
    #expect(event.netns == 4_026_531_840)
    #expect(event.interface_index == 2)
    #expect(event.user_id == 1000)
    #expect(event.lost_before == 7)
    #expect(event.owner_pid == 8123)
    #expect(event.actor_pid == 812)
    #expect(name(of: event.owner_name) == ShortName("curl"))
    #expect(name(of: event.actor_name) == ShortName("exactly15bytes!"))
  }

  @Test func countersOfATransition() throws {
    let event = try event(HexFixture("transition.hex").bytes)
    #expect(event.bytes_sent == 812)
    #expect(event.bytes_retransmitted == 12)
    #expect(event.bytes_received == 48_121)
    #expect(event.bytes_acknowledged == 801)
    #expect(event.send_unacknowledged == 3_063_428_974)
    #expect(event.send_next == 3_063_428_975)
    #expect(event.write_sequence == 3_063_428_976)
    #expect(event.receive_next == 918_278_133)
    #expect(event.copied_sequence == 918_278_131)
    #expect(event.send_window == 64_240)
    #expect(event.receive_window == 65_535)
    #expect(event.congestion_window == 10)
    #expect(event.slow_start_threshold == 0x7fff_ffff)
    #expect(event.smoothed_rtt_us8 == 99_040)
    #expect(event.rto_jiffies == 53)
    #expect(event.retransmits == 4)
    #expect(event.segments_sent == 21)
    #expect(event.segments_received == 37)
    #expect(event.total_rto_time_ms == 1501)
    #expect(event.linger2 == -1)
    #expect(name(of: event.congestion_control) == ShortName("cubic"))
  }

  @Test func everyFieldOfASnapshot() throws {
    let snapshot = try snapshot(HexFixture("snapshot.hex").bytes)
    #expect(Int32(snapshot.event.kind) == TCPSTATE_KIND_SOCKET)
    #expect(TCPState(number: snapshot.event.state_new) == .closeWait)
    #expect(snapshot.event.cookie == 0x1122_3344_5566_7788)
    #expect(snapshot.event.actor_pid == 0)
    #expect(snapshot.jiffies == 0x1_0000_0123)
    #expect(snapshot.timer_expires == 0x1_0000_0456)
    #expect(snapshot.fd == 14)
    #expect(snapshot.last_acked_jiffies == 0xfe)
    #expect(snapshot.accept_queue == 5)
    #expect(snapshot.accept_queue_limit == 128)
    #expect(snapshot.request_queue == 6)
    #expect(snapshot.request_age_us == 150_500)
    #expect(snapshot.entry_stamp_ms == 0xffff_fff0)
    #expect(snapshot.syn_ack_timeouts == 2)
    #expect(snapshot.socket_inode == 54_303)
    #expect(snapshot.ack_timer_jiffies == 0x120 && snapshot.delivered_ms == 1000)
    #expect(snapshot.last_data_received_jiffies == 0x110 && snapshot.last_data_sent_jiffies == 0x111)
    #expect(snapshot.first_timeout_ms == 1001 && snapshot.probing_since_jiffies == 0x112)
    #expect(snapshot.least_rtt_jiffies == 0x113)
    #expect(Int32(snapshot.details) == TCPSTATE_DETAIL_KEEPALIVE | TCPSTATE_DETAIL_AWAITED)
    #expect(snapshot.probes == 4 && Int32(snapshot.pending_timer) == TCPSTATE_TIMER_PROBE)
    #expect(snapshot.defer_accept == 5 && snapshot.syn_sent_ms == 1002)
  }

  @Test func everyTruncationOfATransition() throws {
    let bytes = try HexFixture("transition.hex").bytes
    for length in 0..<bytes.count {
      #expect(throws: DecodingFailure.truncated(length: length, needed: 248)) {
        try event(Array(bytes.prefix(length)))
      }
    }
  }

  @Test func everyTruncationOfASnapshot() throws {
    let bytes = try HexFixture("snapshot.hex").bytes
    for length in 0..<bytes.count {
      #expect(throws: DecodingFailure.truncated(length: length, needed: 352)) {
        try snapshot(Array(bytes.prefix(length)))
      }
    }
  }

  /// The ring buffer pads records, and newer writers may append to them.
  @Test func longerIsFine() throws {
    let bytes = try HexFixture("transition.hex").bytes + [0xff, 0xff, 0xff]
    #expect(try event(bytes).local_port == 51_234)
  }

  @Test func anyAlignment() throws {
    let bytes = try HexFixture("transition.hex").bytes
    for shift in 1..<8 {
      let shifted = [UInt8](repeating: 0xee, count: shift) + bytes
      let event = try shifted.withUnsafeBytes { try EventDecoder.event(UnsafeRawBufferPointer(rebasing: $0[shift...])) }
      #expect(event.cookie == 0x1122_3344_5566_7788)
    }
  }

  @Test func unknownVersions() throws {
    var bytes = try HexFixture("transition.hex").bytes
    for version in UInt8.min...UInt8.max where Int32(version) != TCPSTATE_EVENT_VERSION {
      bytes[0] = version
      #expect(throws: DecodingFailure.unknownVersion(version)) { try event(bytes) }
    }
  }

  /// A kind of the ring buffer isn't accepted from an iterator, nor the other way round.
  @Test func unknownKinds() throws {
    var bytes = try HexFixture("snapshot.hex").bytes
    let events: Set<UInt8> = [1, 5, 6, 7]
    let snapshots: Set<UInt8> = [2, 3, 4, 8]
    for kind in UInt8.min...UInt8.max {
      bytes[1] = kind
      if !events.contains(kind) {
        #expect(throws: DecodingFailure.unknownKind(kind)) { try event(bytes) }
      }
      if !snapshots.contains(kind) {
        #expect(throws: DecodingFailure.unknownKind(kind)) { try snapshot(bytes) }
      }
    }
  }

  @Test func namesNoSocket() throws {
    for (file, decode) in [
      ("transition.hex", { (bytes: [UInt8]) in _ = try event(bytes) }),
      ("snapshot.hex", { (bytes: [UInt8]) in _ = try snapshot(bytes) }),
    ] {
      var bytes = try HexFixture(file).bytes
      for index in 16..<24 { bytes[index] = 0 }
      try decode(bytes)  // the address is enough
      for index in 24..<32 { bytes[index] = 0 }
      #expect(throws: DecodingFailure.namesNoSocket) { try decode(bytes) }
    }
  }

  /// The fuzzer's seeds are records of this version; otherwise it would never get past the decoder.
  @Test func fuzzerStartsFromTheseRecords() throws {
    let seed = TestFile.url("fuzz/corpus/decoder/records")
    let bytes = try Data(contentsOf: seed)
    for name in ["transition.hex", "snapshot.hex"] {
      #expect(bytes.firstRange(of: try HexFixture(name).bytes) != nil, "\(name)")
    }
  }

  /// The tracker survives whatever the decoder accepts.
  @Test func randomBytesNeverCrash() {
    var random = SeededGenerator(seed: 7)
    var tracker = ConnectionTracker()
    tracker.ticksPerSecond = 250
    var row = Transition()
    var decoded = 0
    for _ in 0..<20_000 {
      var bytes = (0..<Int.random(in: 0...330, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if bytes.count > 3, Bool.random(using: &random) {
        bytes[0] = UInt8(TCPSTATE_EVENT_VERSION)
        bytes[1] = UInt8.random(in: 1...7, using: &random)
        // Few sockets in likely states, so that they meet again.
        bytes[2] = UInt8.random(in: 0...14, using: &random)
        bytes[3] = UInt8.random(in: 0...14, using: &random)
      }
      if bytes.count > 24 { for index in 17..<24 { bytes[index] = 0 } }
      if let event = try? event(bytes) {
        decoded += 1
        withUnsafePointer(to: event) { _ = tracker.apply($0, to: &row) }
      }
      if let snapshot = try? snapshot(bytes) {
        decoded += 1
        withUnsafePointer(to: snapshot) { _ = tracker.apply($0, to: &row) }
      }
    }
    #expect(decoded > 500)
    #expect(tracker.trackedCount <= 256)
  }

  private func name<T>(of tuple: T) -> ShortName {
    withUnsafeBytes(of: tuple) { ShortName(padded: $0.baseAddress!) }
  }
}
