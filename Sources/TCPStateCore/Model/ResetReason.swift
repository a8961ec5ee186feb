// SPDX-License-Identifier: Apache-2.0

/// The kernel's own reason for sending a RST: `enum sk_rst_reason`, include/net/rstreason.h, Linux 6.10 and newer.
///
/// The raw values are the record's (TCPSTATE_RESET_*), which don't depend on the kernel's numbers.
public enum ResetReason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case noSocket = 1
  case tcpInvalidAckSequence
  case tcpRfc7323Paws
  case tcpTooOldAck
  case tcpAckUnsentData
  case tcpFlags
  case tcpOldAck
  case tcpAbortOnData
  case tcpTimewaitSocket
  case invalidSyn
  case tcpAbortOnClose
  case tcpAbortOnLinger
  case tcpAbortOnMemory
  case tcpState
  case tcpKeepaliveTimeout
  case tcpDisconnectWithData
  case mptcpRstEunspec
  case mptcpRstEmptcp
  case mptcpRstEresource
  case mptcpRstEprohibit
  case mptcpRstEwq2big
  case mptcpRstEbadperf
  case mptcpRstEmiddlebox
  case error

  /// The kernel's name without its prefix, in lower case.
  public var name: StaticString {
    switch self {
    case .noSocket: "no_socket"
    case .tcpInvalidAckSequence: "tcp_invalid_ack_sequence"
    case .tcpRfc7323Paws: "tcp_rfc7323_paws"
    case .tcpTooOldAck: "tcp_too_old_ack"
    case .tcpAckUnsentData: "tcp_ack_unsent_data"
    case .tcpFlags: "tcp_flags"
    case .tcpOldAck: "tcp_old_ack"
    case .tcpAbortOnData: "tcp_abort_on_data"
    case .tcpTimewaitSocket: "tcp_timewait_socket"
    case .invalidSyn: "invalid_syn"
    case .tcpAbortOnClose: "tcp_abort_on_close"
    case .tcpAbortOnLinger: "tcp_abort_on_linger"
    case .tcpAbortOnMemory: "tcp_abort_on_memory"
    case .tcpState: "tcp_state"
    case .tcpKeepaliveTimeout: "tcp_keepalive_timeout"
    case .tcpDisconnectWithData: "tcp_disconnect_with_data"
    case .mptcpRstEunspec: "mptcp_rst_eunspec"
    case .mptcpRstEmptcp: "mptcp_rst_emptcp"
    case .mptcpRstEresource: "mptcp_rst_eresource"
    case .mptcpRstEprohibit: "mptcp_rst_eprohibit"
    case .mptcpRstEwq2big: "mptcp_rst_ewq2big"
    case .mptcpRstEbadperf: "mptcp_rst_ebadperf"
    case .mptcpRstEmiddlebox: "mptcp_rst_emiddlebox"
    case .error: "error"
    }
  }

  /// Finds a reason by its name; `nil` if there is none.
  public init?(name: some StringProtocol) {
    guard let reason = Self.allCases.first(where: { name == $0.name.description }) else { return nil }
    self = reason
  }
}
