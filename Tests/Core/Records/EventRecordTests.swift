// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport
import Testing

@Suite struct EventRecordTests {
  @Test func identityOfATransition() throws {
    let bytes = try HexFixture("transition.hex").bytes
    try withUnsafePointer(to: bytes.withUnsafeBytes { try EventDecoder.event($0) }) { event in
      let record = EventRecord(event)
      #expect(record.key == 0x1122_3344_5566_7788)
      #expect(record.old == .established && record.new == .closeWait)
      #expect(record.local == Endpoint(address: try #require(IPAddress(parsing: "10.0.0.5")), port: 51_234))
      let peer = try #require(IPAddress(parsing: "2001:db8:ffff:1234:5678:9abc:def0:1234"))
      #expect(record.peer == Endpoint(address: peer, port: 443))
      #expect(record.ownerName == ShortName("curl"))
      #expect(record.actorName == ShortName("exactly15bytes!"))
      #expect(record.congestionControl == ShortName("cubic"))
      #expect(record.resetReason == .tcpAbortOnLinger)
      #expect(record.has(TCPSTATE_FLAG_DONE) && !record.has(TCPSTATE_FLAG_OWNED))
    }
  }

  @Test func eventOfASnapshot() throws {
    let bytes = try HexFixture("snapshot.hex").bytes
    try withUnsafePointer(to: bytes.withUnsafeBytes { try EventDecoder.snapshot($0) }) { snapshot in
      let record = EventRecord(snapshot)
      #expect(UnsafeRawPointer(record.event) == UnsafeRawPointer(snapshot))
      #expect(record.key == 0x1122_3344_5566_7788)
      #expect(record.old == .closeWait && record.new == .closeWait)
      #expect(record.ownerName == ShortName("curl") && record.actorName.isEmpty)
      #expect(record.resetReason == nil)
    }
  }

  /// Without a cookie the address identifies a socket.
  @Test func keyIsTheCookieOrElseTheAddress() {
    var event = EventBuilder.transition(.established, .closeWait)
    event.socket_address = 0xffff_8881_0a2b_3c40
    withUnsafePointer(to: event) { #expect(EventRecord($0).key == 0xffff_8881_0a2b_3c40) }
    event.cookie = 7
    withUnsafePointer(to: event) { #expect(EventRecord($0).key == 7) }
    withUnsafePointer(to: event) { #expect(ConnectionTracker.key($0) == 7) }
  }

  /// The kernel's two numbers for SYN-RECEIVED are one state.
  @Test func requestIsInSynReceived() {
    var event = EventBuilder.transition(.established, .closed)
    (event.state_old, event.state_new) = (12, 12)
    withUnsafePointer(to: event) { #expect(EventRecord($0).old == .synReceived && EventRecord($0).new == .synReceived) }
  }

  @Test func minisocks() {
    var event = EventBuilder.transition(.timeWait, .timeWait)
    let kinds: [(Int32, Bool)] = [
      (TCPSTATE_KIND_TRANSITION, false), (TCPSTATE_KIND_SOCKET, false), (TCPSTATE_KIND_TIMEWAIT, true),
      (TCPSTATE_KIND_REQUEST, false), (TCPSTATE_KIND_RESET_SENT, true), (TCPSTATE_KIND_SYN_ACK, false),
    ]
    for (kind, isMinisock) in kinds {
      event.kind = UInt8(kind)
      withUnsafePointer(to: event) { #expect(EventRecord($0).isMinisock == isMinisock, "\(kind)") }
    }
    event.kind = UInt8(TCPSTATE_KIND_RESET_SENT)
    event.state_new = TCPState.closed.number
    withUnsafePointer(to: event) { #expect(!EventRecord($0).isMinisock, "a full socket's reset") }
  }

  /// The reason counts only if a RST was sent.
  @Test func resetReasonNeedsAReset() {
    var event = EventBuilder.transition(.established, .closed)
    event.reset_reason = ResetReason.noSocket.rawValue
    withUnsafePointer(to: event) { #expect(EventRecord($0).resetReason == nil) }
    event.flags = UInt16(TCPSTATE_FLAG_RESET_SENT)
    withUnsafePointer(to: event) { #expect(EventRecord($0).resetReason == .noSocket) }
    event.reset_reason = 0
    withUnsafePointer(to: event) { #expect(EventRecord($0).resetReason == nil, "not specified") }
    event.reset_reason = 255
    withUnsafePointer(to: event) { #expect(EventRecord($0).resetReason == nil, "a newer kernel side's") }
  }
}
