// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// What the kernel's →CLOSE means.
///
/// The kernel also reports CLOSE when a minisock replaces the full socket in TIME-WAIT or FIN-WAIT-2 (tcp_time_wait(),
/// net/ipv4/tcp_minisocks.c).
enum Ending: Equatable {
  case timeWait
  case finWait2Minisock
  /// `nil` for a listener, which isn't a connection.
  case closed(Reason?)

  init(_ event: UnsafePointer<tcpstate_event>, old: TCPState) {
    let flags = Int32(event.pointee.flags)
    let owned = flags & TCPSTATE_FLAG_OWNED != 0
    let hasSocket = flags & TCPSTATE_FLAG_HAS_SOCKET != 0
    let done = flags & TCPSTATE_FLAG_DONE != 0

    if old == .listen {
      self = .closed(nil)
      return
    }
    if let silent = Self.silent(flags) {
      self = .closed(silent)
      return
    }
    if event.pointee.error != 0 {
      let reason = Self.reason(error: event.pointee.error, old: old)
      let sent = flags & TCPSTATE_FLAG_RESET_SENT != 0
      self = .closed(reason == .resetReceived && sent ? .resetSent : reason)
      return
    }
    switch old {
    case .closing:
      self = .timeWait
    case .finWait2 where done:
      self = .timeWait
    case .finWait2 where hasSocket:
      self = .closed(.aborted)  // connect(AF_UNSPEC): an orphan has no socket
    case .finWait2 where event.pointee.linger2 < 0:
      // By close(), or in a softirq by the ACK of the FIN, which a RST answers (tcp_rcv_state_process(),
      // net/ipv4/tcp_input.c).
      self = .closed(owned ? .aborted : .resetSent)
    case .finWait2 where flags & TCPSTATE_FLAG_RESET_SENT != 0:
      // Data came with the ACK of an orphan's FIN, and was answered by a RST.
      self = .closed(.resetSent)
    case .finWait2:
      self = .finWait2Minisock
    case .lastAck:
      self = .closed(.fin)
    default:
      // No error, no FIN: the application gave it up, or no process ever had it.
      self = .closed(owned ? .aborted : hasSocket ? .unknown : .unaccepted)
    }
  }

  /// Why a process ended it without sending anything.
  private static func silent(_ flags: Int32) -> Reason? {
    if flags & TCPSTATE_FLAG_REPAIR != 0 { return .repair }
    if flags & TCPSTATE_FLAG_NO_PORT != 0 { return .noPort }
    return flags & TCPSTATE_FLAG_NO_ROUTE != 0 ? .noRoute : nil
  }

  /// From sk_err, an errno (asm-generic/errno.h). ICMP errors become one by icmp_err_convert, net/ipv4/icmp.c, and
  /// icmpv6_err_convert(), net/ipv6/icmp.c.
  private static func reason(error: UInt16, old: TCPState) -> Reason {
    switch error {
    case 104 /* ECONNRESET */, 32 /* EPIPE: the reset came after the FIN */: .resetReceived
    case 111 /* ECONNREFUSED */: .refused
    case 110 /* ETIMEDOUT */: .timeout
    case 101 /* ENETUNREACH */, 113 /* EHOSTUNREACH */, 100 /* ENETDOWN */, 112 /* EHOSTDOWN */, 64 /* ENONET */,
      92 /* ENOPROTOOPT */, 71 /* EPROTO */, 95 /* EOPNOTSUPP: source route failed */:
      .unreachable
    case 13 /* EACCES: ICMPv6, administratively prohibited */, 1 /* EPERM */: .prohibited
    case 103 /* ECONNABORTED */: .killed
    default: .unknown
    }
  }
}
