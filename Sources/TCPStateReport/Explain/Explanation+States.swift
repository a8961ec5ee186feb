// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

extension Explanation {
  /// A state, by RFC 9293, section 3.3.2, and what Linux makes of it.
  public static func of(_ state: TCPState) -> Explanation {
    var result =
      switch state {
      case .listen, .synSent, .synReceived, .established: ofOpening(state)
      case .finWait1, .finWait2, .timeWait: ofClosingFirst(state)
      default: ofClosing(state)
      }
    result.states = state == .closed ? [] : [state.number]
    return result
  }

  private static let kind = "a state (RFC 9293, section 3.3.2)"

  private static func state(_ state: TCPState, _ meaning: String) -> Explanation {
    Explanation(state.name(.rfc), kind: kind, meaning)
  }

  private static func ofOpening(_ number: TCPState) -> Explanation {
    switch number {
    case .listen:
      var result = state(
        .listen,
        "Waits for connection requests from any peer. A listening socket is meant to stay here; its connections are "
          + "sockets of their own.")
      result.actor = "The process accepts connections with accept(). It leaves the state with close()."
      result.settings = ["tcp_max_syn_backlog", "tcp_syncookies"]
      result.advice = ["ss -ltn shows the accept queue (Recv-Q) and its limit (Send-Q)"]
      return result
    case .synSent:
      var result = state(.synSent, "connect() has sent the SYN (sequence number x) and waits for the SYN-ACK.")
      result.actor =
        "The peer's host answers with a SYN-ACK, or with a RST if nobody listens. No answer at all means that the SYN "
        + "or its answer is dropped: by a firewall, by routing, or by a listener whose accept queue is full."
      result.timer =
        "The retransmission timer: the SYN is sent again after 1 s, then at growing intervals, tcp_syn_retries times; "
        + "connect() then fails with ETIMEDOUT."
      result.settings = ["tcp_syn_retries", "tcp_syn_linear_timeouts", "tcp_rto_max_ms"]
      result.advice = [
        "sudo tcpstate-trace stuck syn-sent --older-than 3s lists them",
        "sudo tcpstate-trace lifecycle --peer ADDRESS"
          + " shows which step is missing",
      ]
      return result
    case .synReceived:
      var result = state(
        .synReceived,
        "A SYN has arrived and a SYN-ACK (sequence number y) has been sent. The last ACK of the handshake is missing. "
          + "Linux keeps only a request for it, no socket.")
      result.actor = "The client acknowledges y + 1. Whoever never does was given a false source address, or lost."
      result.timer =
        "The SYN-ACK timer: it is sent again after 1 s, 2 s, 4 s, …, tcp_synack_retries times; the request is dropped "
        + "then, and no event reports it."
      result.settings = ["tcp_synack_retries", "tcp_syncookies", "tcp_max_syn_backlog", "tcp_abort_on_overflow"]
      result.advice = ["sudo tcpstate-trace stuck syn-received --older-than 3s lists them"]
      return result
    default:
      var result = state(.established, "Both ends know each other's sequence numbers. Data flows in both directions.")
      result.actor = "Either process, when it is done: close() or shutdown() sends a FIN."
      result.timer =
        "With data outstanding, the retransmission timer ends the connection after tcp_retries2 timeouts (with 15: "
        + "about 15 minutes). Without data nothing ends it, unless SO_KEEPALIVE is set."
      result.settings = [
        "tcp_retries2", "tcp_keepalive_time", "tcp_keepalive_intvl", "tcp_keepalive_probes",
      ]
      result.advice = ["sudo tcpstate-trace stuck established --older-than 1h lists idle connections"]
      return result
    }
  }

  private static func ofClosingFirst(_ number: TCPState) -> Explanation {
    switch number {
    case .finWait1:
      var result = state(
        .finWait1, "This end has closed first and waits for the acknowledgement of its FIN, which may still be queued.")
      result.actor =
        "The peer's host acknowledges the FIN. If its receive window is shut, its process has to read first."
      result.timer =
        "The retransmission timer. Once no process has the socket any more, tcp_orphan_retries limits it (0 means 8)."
      result.settings = ["tcp_orphan_retries", "tcp_max_orphans", "tcp_rto_max_ms"]
      result.advice = ["sudo tcpstate-trace stuck fin-wait-1 shows what is unsent or unacknowledged"]
      return result
    case .finWait2:
      var result = state(
        .finWait2, "The peer has acknowledged this end's FIN. Its own FIN is missing: it may still send data.")
      result.actor = "The peer's process has to close its end; there the socket is in CLOSE-WAIT."
      result.timer =
        "After close(), tcp_fin_timeout ends it. After shutdown(SHUT_WR) nothing does: the process waits as long as it "
        + "likes."
      result.settings = ["tcp_fin_timeout"]
      result.advice = ["on the peer's host: sudo tcpstate-trace stuck close-wait"]
      return result
    default:
      var result = state(
        .timeWait,
        "The end that closed first remembers the connection, so that late segments can't disturb a new one with the same "
          + "addresses, and so that it can acknowledge the peer's FIN again.")
      result.actor = "Nobody. It isn't a leak."
      result.timer =
        "60 s on Linux (twice a maximum segment lifetime of 30 s), which no setting changes. A client may use the port "
        + "again after tcp_tw_reuse_delay if tcp_tw_reuse allows it."
      result.settings = ["tcp_tw_reuse", "tcp_tw_reuse_delay", "tcp_max_tw_buckets", "ip_local_port_range"]
      result.advice = [
        "sudo tcpstate-trace stuck time-wait shows how many ports of which pair they use",
        "keep connections open, or let the server close first, if ports run out",
      ]
      return result
    }
  }

  private static func ofClosing(_ number: TCPState) -> Explanation {
    switch number {
    case .closeWait:
      var result = state(
        .closeWait,
        "The peer has sent its FIN. This end has acknowledged it and may still send, but nothing more comes.")
      result.actor =
        "The local process, and nobody else: read() has returned 0, and now it has to call close(). Many sockets that "
        + "get old here are a descriptor leak."
      result.timer = "None. It stays until the process closes it or ends, unless keepalive or data finds the peer gone."
      result.settings = ["tcp_keepalive_time"]
      result.advice = [
        "sudo tcpstate-trace stuck names the process, the descriptor and the cause",
        "sudo tcpstate-trace stuck --watch reports each that gets there",
      ]
      return result
    case .lastAck:
      var result = state(
        .lastAck, "The peer closed first, this end has closed now, and its FIN is not acknowledged yet.")
      result.actor = "The peer's host acknowledges the FIN."
      result.timer = "The retransmission timer, limited by tcp_orphan_retries (0 means 8)."
      result.settings = ["tcp_orphan_retries", "tcp_rto_max_ms"]
      result.advice = ["sudo tcpstate-trace stuck last-ack lists them"]
      return result
    case .closing:
      var result = state(
        .closing, "Both ends have closed at the same time: the peer's FIN has come before the ACK of this end's FIN.")
      result.actor = "The peer's host acknowledges the FIN; then it is TIME-WAIT."
      result.timer = "The retransmission timer."
      result.advice = [
        "the verdict closing of stuck means another thing: no descriptor refers to the socket, but a system call on it has "
          + "not returned; another thread may sleep in it"
      ]
      result.settings = ["tcp_orphan_retries"]
      return result
    default:
      return state(.closed, "There is no connection: none has begun yet, or it is over.")
    }
  }
}
