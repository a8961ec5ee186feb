// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// The words that recordings, JSON and `--exec` use: programs depend on each of them.
@Suite struct NameTests {
  private static func names<Values: Collection>(_ values: Values, _ name: (Values.Element) -> StaticString) -> String {
    values.map { name($0).description }.joined(separator: " ")
  }

  @Test func ofRows() {
    #expect(Self.names([Source.event, .snapshot, .derived], \.name) == "event snapshot derived")
    #expect(Self.names([DurationKind.exact, .atLeast], \.name) == "exact at_least")
    #expect(Self.names(TimeKind.allCases, \.name) == "exact at_least at_most")
    #expect(Self.names(Role.allCases, \.name) == "unknown client server listener")
    #expect(Self.names(Closer.allCases, \.name) == "active passive both")
    #expect(Self.names(OwnerKind.allCases, \.name) == "holder reader opener inherited")
    #expect(Self.names(FinCall.allCases, \.name) == "close shutdown")
  }

  @Test func ofStuckSockets() {
    #expect(
      Self.names(Verdict.allCases, \.name) == "unaccepted half_open held shared orphan closing unseen unknown")
    #expect(
      Self.names(StuckCause.allCases, \.name)
        == "not_accepted unanswered probe_unanswered window_shut not_reading sending fin_unsent not_closed "
        + "peer_not_closed idle in_system_call awaits_data queue_full handshake")
  }

  @Test func ofLifecycles() {
    #expect(Self.names(Side.allCases, \.name) == "client server")
    #expect(Self.names([LifecycleStep.Phase.handshake, .close], \.name) == "handshake close")
    #expect(
      Self.names([LifecycleStep.Basis.observed, .implied, .expected, .found], \.name)
        == "observed implied expected found")
    #expect(
      Self.names(
        [LifecycleStep.Act.close, .shutdown, .closeOrShutdown, .endOfFile, .abort, .kill, .listenerClosed], \.name)
        == "close shutdown close_or_shutdown end_of_file abort kill listener_closed")
  }

  /// The kernel's own names, in the order of the record's numbers from 1 on.
  @Test func ofResetReasons() {
    #expect(
      Self.names(ResetReason.allCases, \.name)
        == "no_socket tcp_invalid_ack_sequence tcp_rfc7323_paws tcp_too_old_ack tcp_ack_unsent_data tcp_flags "
        + "tcp_old_ack tcp_abort_on_data tcp_timewait_socket invalid_syn tcp_abort_on_close tcp_abort_on_linger "
        + "tcp_abort_on_memory tcp_state tcp_keepalive_timeout tcp_disconnect_with_data mptcp_rst_eunspec "
        + "mptcp_rst_emptcp mptcp_rst_eresource mptcp_rst_eprohibit mptcp_rst_ewq2big mptcp_rst_ebadperf "
        + "mptcp_rst_emiddlebox error")
    #expect(ResetReason.allCases.map { Int($0.rawValue) } == Array(1...ResetReason.allCases.count))
    for reason in ResetReason.allCases { #expect(ResetReason(name: reason.name.description) == reason) }
    #expect(ResetReason(name: "") == nil && ResetReason(name: "no_such_reason") == nil)
  }
}
