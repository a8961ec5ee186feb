// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

extension Explanation {
  /// A verdict of `stuck`: which process, if any, can get a socket out of its state.
  public static func of(_ verdict: Verdict) -> Explanation {
    var result = Explanation(
      verdict.name.description, kind: "a verdict of stuck", meaning(verdict))
    result.actor = actor(verdict)
    result.advice = ["sudo tcpstate-trace stuck prints what to do for each group of sockets"]
    return result
  }

  private static func meaning(_ verdict: Verdict) -> String {
    switch verdict {
    case .unaccepted: "The connection is complete, but no process has called accept(); no descriptor refers to it."
    case .halfOpen: "A request of a listener: the handshake is not complete. It isn't a socket yet."
    case .held: "One process holds the socket, through one or more descriptors."
    case .shared: "Several processes hold the socket, after fork() or because it was passed on."
    case .orphan: "No process has the socket any more: it was closed, and the kernel completes the close."
    case .closing: "No descriptor refers to the socket, but a system call on it has not returned."
    case .unseen:
      "The socket is open, but no visible process has a descriptor: it belongs to a process of another PID namespace, is "
        + "in flight over a Unix socket, or is registered with io_uring only."
    case .unknown: "The source can't say: a recording has the owner, but no descriptors."
    }
  }

  private static func actor(_ verdict: Verdict) -> String {
    switch verdict {
    case .unaccepted: "The listener's process has to call accept(). If the queue stays full, it is blocked or too slow."
    case .halfOpen: "The client, with the last ACK."
    case .held: "The process. In CLOSE-WAIT, look for a close() that is missing after the end of the stream."
    case .shared: "All of them have to close it. Often a child has inherited it: SOCK_CLOEXEC avoids that."
    case .orphan: "The peer's host, or a timer of the kernel."
    case .closing: "The process, when the system call returns: another thread may sleep in it."
    case .unseen: "A process that can't be seen from here; run stuck as root in the host's PID namespace."
    case .unknown: "Run stuck without --read while it lasts."
    }
  }
}
