// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Glibc
import TCPStateCore
import Testing

/// The reason in the row of a connection that ended with an error, for every errno.
@Suite struct ErrorReasonTests {
  /// By errno: what the socket layer and ICMP (icmp_err_convert, net/ipv4/icmp.c; icmpv6_err_convert(),
  /// net/ipv6/icmp.c) set as sk_err.
  private static let reasons: [Int32: Reason] = [
    ECONNRESET: .resetReceived, EPIPE: .resetReceived, ECONNREFUSED: .refused, ETIMEDOUT: .timeout,
    ENETUNREACH: .unreachable, EHOSTUNREACH: .unreachable, ENETDOWN: .unreachable, EHOSTDOWN: .unreachable,
    ENOPROTOOPT: .unreachable, EPROTO: .unreachable, ENONET: .unreachable, EOPNOTSUPP: .unreachable,
    EACCES: .prohibited, EPERM: .prohibited, ECONNABORTED: .killed,
  ]

  private static func reason(_ error: Int32, _ old: TCPState, flags: Int32 = 0) -> Reason? {
    var tracker = ConnectionTracker()
    var row = Transition()
    let event = EventBuilder.transition(old, .closed, flags: flags, error: UInt16(error))
    let isRow = withUnsafePointer(to: event) { tracker.apply($0, to: &row) }
    #expect(isRow && row.old == old && row.new == .closed)
    return row.reason
  }

  @Test(arguments: [TCPState.synSent, .synReceived, .established, .closeWait, .finWait1, .finWait2, .lastAck])
  func everyErrno(_ old: TCPState) {
    for error in 1...133 as ClosedRange<Int32> {
      #expect(Self.reason(error, old) == Self.reasons[error] ?? .unknown, "errno \(error)")
    }
  }

  /// A RST that this host sent sets ECONNRESET too; the record says which end sent it.
  @Test func ownResets() {
    let sent = TCPSTATE_FLAG_RESET_SENT
    #expect(Self.reason(ECONNRESET, .established, flags: sent) == .resetSent)
    #expect(Self.reason(EPIPE, .lastAck, flags: sent) == .resetSent)
    #expect(Self.reason(ETIMEDOUT, .established, flags: sent) == .timeout)
  }
}
