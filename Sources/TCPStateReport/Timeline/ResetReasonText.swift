// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

extension ResetReason {
  /// The reason in a few words for people; `nil` where the states already say as much.
  var words: StaticString? {
    switch self {
    case .noSocket: "no socket"
    case .tcpInvalidAckSequence: "invalid ACK"
    case .tcpRfc7323Paws: "old timestamp"
    case .tcpTooOldAck: "ACK too old"
    case .tcpAckUnsentData: "ACK of unsent data"
    case .tcpFlags: "invalid flags"
    case .tcpOldAck: "old ACK"
    case .tcpAbortOnData: "data after close()"
    case .tcpTimewaitSocket: "orphaned socket"
    case .invalidSyn: "invalid SYN"
    case .tcpAbortOnClose: "unread data"
    case .tcpAbortOnLinger: "linger"
    case .tcpAbortOnMemory: "out of memory"
    case .tcpState: nil
    case .tcpKeepaliveTimeout: "keep-alive timeout"
    case .tcpDisconnectWithData: "unsent data"
    case .mptcpRstEunspec: "MPTCP"
    case .mptcpRstEmptcp: "MPTCP error"
    case .mptcpRstEresource: "MPTCP out of resources"
    case .mptcpRstEprohibit: "MPTCP prohibited"
    case .mptcpRstEwq2big: "MPTCP too much outstanding data"
    case .mptcpRstEbadperf: "MPTCP unacceptable performance"
    case .mptcpRstEmiddlebox: "MPTCP middlebox interference"
    case .error: "error"
    }
  }
}
