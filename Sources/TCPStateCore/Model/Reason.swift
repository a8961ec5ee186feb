// SPDX-License-Identifier: Apache-2.0

/// Why a connection ended.
public enum Reason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Orderly, with a FIN from both ends.
  case fin
  case resetReceived
  case resetSent
  /// Retransmission, user or keep-alive timeout.
  case timeout
  /// The SYN was answered with a RST.
  case refused
  case unreachable
  /// By the local application without a FIN: linger 0, unread data, disconnect.
  case aborted
  /// By an administrator (`ss -K`).
  case killed
  /// The listener was closed before it accepted this connection.
  case unaccepted
  /// TIME-WAIT made way for a new connection with the same addresses and ports.
  case reused
  /// The kernel keeps no more TIME-WAIT sockets (tcp_max_tw_buckets).
  case timeWaitOverflow
  case unknown

  /// For machines: `reset_received`.
  public var name: StaticString { spellings.name }

  /// For people, next to a transition: `reset received`.
  public var words: StaticString { spellings.words }

  /// For people, about the connection as a whole: `reset by the peer`; `nil` for an orderly end.
  public var outcome: StaticString? { spellings.outcome }

  /// The one table of a reason's spellings; nothing else spells a reason.
  private var spellings: (name: StaticString, words: StaticString, outcome: StaticString?) {
    switch self {
    case .fin: ("fin", "fin", nil)
    case .resetReceived: ("reset_received", "reset received", "reset by the peer")
    case .resetSent: ("reset_sent", "reset sent", "reset")
    case .timeout: ("timeout", "timed out", "timed out")
    case .refused: ("refused", "refused", "refused")
    case .unreachable: ("unreachable", "unreachable", "unreachable")
    case .aborted: ("aborted", "aborted", "aborted")
    case .killed: ("killed", "killed", "killed")
    case .unaccepted: ("unaccepted", "never accepted", "never accepted")
    case .reused: ("reused", "reused", "reused by a new connection")
    case .timeWaitOverflow: ("overflow", "TIME-WAIT overflow", "TIME-WAIT overflow")
    case .unknown: ("unknown", "unknown", "the end was not seen")
    }
  }
}
