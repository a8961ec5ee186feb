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
    case .finWait2 where owned && event.pointee.linger2 < 0:
      self = .closed(.aborted)
    case .finWait2:
      self = .finWait2Minisock
    case .lastAck:
      self = .closed(.fin)
    default:
      // No error, no FIN: the application gave it up, or no process ever had it.
      self = .closed(owned ? .aborted : hasSocket ? .unknown : .unaccepted)
    }
  }

  /// From sk_err, an errno (asm-generic/errno.h).
  private static func reason(error: UInt16, old: TCPState) -> Reason {
    switch error {
    case 104 /* ECONNRESET */, 32 /* EPIPE: the reset came after the FIN */: .resetReceived
    case 111 /* ECONNREFUSED */: .refused
    case 110 /* ETIMEDOUT */: .timeout
    case 101 /* ENETUNREACH */, 113 /* EHOSTUNREACH */, 100, 112, 92, 71: .unreachable
    case 103 /* ECONNABORTED */: .killed
    default: .unknown
    }
  }
}
