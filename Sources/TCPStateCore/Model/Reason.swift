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
  /// The network reported that the peer can't be reached.
  case unreachable
  /// A router, a firewall or a policy refused it.
  case prohibited
  /// connect() got no local port, or the addresses and ports were in use: no SYN was sent.
  case noPort
  /// This host had no route for the port that connect() had chosen: no SYN was sent.
  case noRoute
  /// By the local application without a FIN: linger 0, unread data, disconnect.
  case aborted
  /// By an administrator (`ss -K`).
  case killed
  /// A process closed it in repair mode (TCP_REPAIR), to go on with it elsewhere: nothing was sent.
  case repair
  /// The listener was closed before it accepted this connection.
  case unaccepted
  /// TIME-WAIT made way for a new connection with the same addresses and ports.
  case reused
  /// The kernel keeps no more TIME-WAIT sockets (tcp_max_tw_buckets).
  case timeWaitOverflow
  case unknown

  /// Whether it ended before anything was sent, so that no SYN was on the wire.
  public var isBeforeSyn: Bool { self == .noPort || self == .noRoute }

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
    case .prohibited: ("prohibited", "prohibited", "administratively prohibited")
    case .noPort: ("no_port", "no local port", "no local port was free")
    case .noRoute: ("no_route", "no route", "no route from this host")
    case .aborted: ("aborted", "aborted", "aborted")
    case .killed: ("killed", "killed", "killed")
    case .repair: ("repair", "repair mode", "taken elsewhere in repair mode")
    case .unaccepted: ("unaccepted", "never accepted", "never accepted")
    case .reused: ("reused", "reused", "reused by a new connection")
    case .timeWaitOverflow: ("overflow", "TIME-WAIT overflow", "TIME-WAIT overflow")
    case .unknown: ("unknown", "unknown", "ended for an unknown reason")
    }
  }
}
