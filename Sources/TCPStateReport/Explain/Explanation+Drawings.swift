// SPDX-License-Identifier: Apache-2.0
extension Explanation {
  /// The handshake, step by step (RFC 9293, section 3.5).
  static var handshake: Explanation {
    var result = Explanation(
      "handshake", kind: "how a connection begins (RFC 9293, section 3.5)",
      "Each end announces its initial sequence number, x and y, and each acknowledges the other's. The SYN and the FIN "
        + "each take one number of their own, hence the + 1.")
    result.drawing = """
          client                                             server
          CLOSED                                             LISTEN
          connect()     ──── SYN, seq x ───────────────▶
          SYN-SENT                                           SYN-RECEIVED
                        ◀─── SYN+ACK, seq y, ack x+1 ───
          ESTABLISHED
                        ──── ACK, seq x+1, ack y+1 ────▶
                                                             ESTABLISHED
                                                             accept()
      """
    result.advice = ["sudo tcpstate-trace lifecycle draws real ones, with their numbers and times"]
    return result
  }

  /// The close, step by step (RFC 9293, section 3.6).
  static var close: Explanation {
    var result = Explanation(
      "close", kind: "how a connection ends (RFC 9293, section 3.6)",
      "Each direction is closed on its own. Either end may begin; here it is the client. u and v are the next numbers to send "
        + "of the two ends.")
    result.drawing = """
          client                                             server
          ESTABLISHED                                        ESTABLISHED
          close()       ──── FIN+ACK, seq u, ack v ────▶
          FIN-WAIT-1                                         CLOSE-WAIT
                        ◀─── ACK, ack u+1 ──────────────
          FIN-WAIT-2                                         read() returns 0
                                                             close()
                        ◀─── FIN+ACK, seq v, ack u+1 ───
          TIME-WAIT                                          LAST-ACK
                        ──── ACK, ack v+1 ─────────────▶
          for 60 s                                           CLOSED
          CLOSED
      """
    result.advice = ["explain close-wait, explain fin-wait-2 and explain time-wait name who has to act in each"]
    return result
  }
}
