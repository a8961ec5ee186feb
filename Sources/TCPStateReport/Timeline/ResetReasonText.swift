import TCPStateCore

extension ResetReason {
  /// For people, in few words; `nil` where that says no more than the states do.
  var words: StaticString? {
    switch self {
    case .noSocket: "no socket"
    case .tcpInvalidAckSequence: "invalid ACK"
    case .tcpRfc7323Paws: "old timestamp"
    case .tcpTooOldAck: "too old ACK"
    case .tcpAckUnsentData: "ACK of unsent data"
    case .tcpFlags: "wrong flags"
    case .tcpOldAck: "old ACK"
    case .tcpAbortOnData: "data after close()"
    case .tcpTimewaitSocket: "no process has it"
    case .invalidSyn: "invalid SYN"
    case .tcpAbortOnClose: "unread data"
    case .tcpAbortOnLinger: "linger"
    case .tcpAbortOnMemory: "out of memory"
    case .tcpState: nil
    case .tcpKeepaliveTimeout: "keep-alive timeout"
    case .tcpDisconnectWithData: "unsent data"
    case .mptcpRstEunspec: "MPTCP"
    case .mptcpRstEmptcp: "MPTCP error"
    case .mptcpRstEresource: "MPTCP resources"
    case .mptcpRstEprohibit: "MPTCP prohibited"
    case .mptcpRstEwq2big: "MPTCP too much outstanding"
    case .mptcpRstEbadperf: "MPTCP bad performance"
    case .mptcpRstEmiddlebox: "MPTCP middlebox"
    case .error: "error"
    }
  }
}
