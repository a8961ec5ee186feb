// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

extension Explanation {
  /// Why a connection ended.
  public static func of(_ reason: Reason) -> Explanation {
    let (meaning, advice) = words(reason)
    var result = Explanation(reason.name.description, kind: "a reason why a connection ended", meaning)
    if !advice.isEmpty { result.advice = [advice] }
    return result
  }

  private static func words(_ reason: Reason) -> (meaning: String, advice: String) {
    switch reason {
    case .fin: ("Orderly: both ends have sent a FIN, and both were acknowledged.", "")
    case .resetReceived:
      (
        "The peer, or something in between, sent a RST (ECONNRESET).",
        "look at the peer: it aborted, had closed already, or has lost the connection's state (a NAT or a restart)"
      )
    case .resetSent:
      (
        "This host sent a RST, because a segment came for a socket that couldn't take it.",
        "reset_reason has the kernel's own reason (Linux 6.10)"
      )
    case .timeout:
      (
        "Retransmissions, keepalive probes or TCP_USER_TIMEOUT ran out without an answer (ETIMEDOUT).",
        "the peer or the path is gone: lifecycle shows the last step that arrived"
      )
    case .refused:
      (
        "The SYN was answered with a RST (ECONNREFUSED).",
        "nobody listens on that port, or its backlog rejects with RST"
      )
    default: otherWords(reason)
    }
  }

  private static func otherWords(_ reason: Reason) -> (meaning: String, advice: String) {
    switch reason {
    case .unreachable:
      (
        "ICMP reported that the host or network can't be reached (EHOSTUNREACH, ENETUNREACH).",
        "check routes and the peer"
      )
    case .aborted:
      (
        "The local process ended it with a RST instead of a FIN: SO_LINGER 0, unread data at close(), or disconnect.",
        "unread data at close() loses what the peer sent: read to the end before closing"
      )
    case .prohibited:
      ("A router, a firewall or a policy refused it (EACCES, EPERM).", "look at the firewalls of both ends and between")
    case .noPort:
      (
        "connect() got no local port, or the addresses and ports were in use (EADDRNOTAVAIL): no SYN was sent.",
        "stuck time-wait shows how many ports of which pair are in use"
      )
    case .noRoute: ("This host had no route (ENETUNREACH): no SYN was sent.", "check the routes: ip route get ADDRESS")
    case .repair: ("The process took it elsewhere in repair mode (TCP_REPAIR, CRIU): nothing was sent.", "")
    case .killed: ("An administrator ended it (ss -K, ECONNABORTED).", "")
    case .reused: ("A TIME-WAIT made way for a new connection between the same addresses and ports.", "")
    case .timeWaitOverflow:
      (
        "The kernel had no room for another TIME-WAIT (tcp_max_tw_buckets), so the connection ended without one.",
        "raise net.ipv4.tcp_max_tw_buckets"
      )
    case .unaccepted: ("The listener was closed before it accepted the connection.", "")
    default: ("What ended it was not seen.", "")
    }
  }
}
