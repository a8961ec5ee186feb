// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One plain sentence for each state and verdict found: what it means and what
/// to do next. The oldest socket of each serves as the example.
struct StuckAdvice {
  let style: StuckStyle

  private struct Case: Hashable {
    let state: TCPState
    let verdict: Verdict
  }

  /// - Parameter sockets: the oldest first.
  func sentences(_ sockets: [StuckSocket]) -> [String] {
    var oldest: [(Case, StuckSocket)] = []
    var seen: Set<Case> = []
    for socket in sockets {
      let new = Case(state: socket.state, verdict: socket.verdict)
      if seen.insert(new).inserted { oldest.append((new, socket)) }
    }
    let severalStates = oldest.contains { $0.0.state != oldest[0].0.state }
    return oldest.map { new, socket in
      let state = severalStates ? "\(new.state.name(.rfc)), " : ""
      return "\(state)\(StuckTable.words(new.verdict)): \(sentence(socket))."
    }
  }

  private func sentence(_ socket: StuckSocket) -> String {
    switch socket.verdict {
    case .unaccepted: return unaccepted(socket)
    case .halfOpen: return halfOpen(socket)
    case .unseen:
      return "the socket is open, but no visible process has a descriptor for it: its process is outside this PID "
        + "namespace, the descriptor is in flight over a Unix socket (SCM_RIGHTS), or only io_uring holds the socket"
    case .held, .shared, .orphan, .unknown: break
    }
    switch socket.state {
    case .closeWait: return closeWait(socket)
    case .established: return established(socket)
    case .synSent:
      return "\(peer(socket)) hasn't answered \(whose(socket)) SYN\(retried(socket)): the host is down, or a firewall "
        + "drops the SYN; check the address and the route, and give connect() a timeout of its own"
    case .finWait1, .lastAck, .closing:
      return "this side has closed, but \(peer(socket)) hasn't acknowledged the FIN\(retried(socket)): the problem is "
        + "at the peer or on the path; the kernel gives up by itself after more retransmissions"
    case .finWait2: return finWait2(socket)
    case .synReceived: return halfOpen(socket)
    case .listen: return "a listening socket, which is meant to stay in this state"
    default: return "in \(socket.state.name(.rfc))"
    }
  }

  private func closeWait(_ socket: StuckSocket) -> String {
    let since = "the peer closed\(ago(socket))"
    if socket.verdict == .unknown {
      return "\(since), and \(owner(socket)) hadn't closed the socket: look for a missing close() after EOF. A "
        + "recording doesn't show whether other processes share the socket or whether it was ever accepted; stuck "
        + "without --read does, while the socket exists"
    }
    let unread = socket.unreadBytes ?? 0
    let leftover = unread > 0 ? " (\(ByteCountText.string(unread)) unread)" : ""
    if socket.verdict == .shared {
      return "\(since), and the connection remains until each of \(all(socket)) has closed it\(leftover): close "
        + "inherited descriptors after fork(), close them in processes that only pass them on, or set SOCK_CLOEXEC"
    }
    let descriptors = StuckTable.descriptors(of: socket, glyphs: style.table.glyphs)
    return "\(since), and \(owner(socket)) never closed fd \(descriptors)\(leftover): look for a missing close() "
      + "after EOF"
  }

  private func unaccepted(_ socket: StuckSocket) -> String {
    let client = socket.state == .closeWait ? "the client has come and gone" : "the client is waiting"
    guard let listener = socket.listeners.first else {
      return "\(client), and accept() hasn't been called; the listener can't be found"
    }
    let isOne = listener.acceptQueue == 1
    let full = listener.acceptQueue > listener.acceptQueueLimit ? ", which is full, so new ones are dropped" : ""
    return "\(client), and \(style.owners(socket.responsible)) hasn't called accept(): "
      + "\(StuckStyle.count(Int(listener.acceptQueue), "connection")) \(isOne ? "is" : "are") waiting in its queue of "
      + "\(NumberText.string(UInt64(listener.acceptQueueLimit)))\(full); find out what it is busy with or blocked on"
  }

  private func halfOpen(_ socket: StuckSocket) -> String {
    let backlog = socket.listeners.first.map {
      "; \(style.owners(socket.responsible)) has \(StuckStyle.count(Int($0.requestQueue), "half-open request")), and "
        + "\($0.acceptQueue) of \($0.acceptQueueLimit) in its accept queue"
    }
    return "the last ACK of \(peer(socket))'s handshake hasn't arrived\(retried(socket)): the client is gone, the path "
      + "to it is broken, the accept queue is full, or this is a SYN flood\(backlog ?? "")"
  }

  private func established(_ socket: StuckSocket) -> String {
    "nothing has arrived from \(peer(socket)) for \(style.duration(socket.age)): if \(owner(socket)) should have "
      + "noticed, give it a timeout, or set SO_KEEPALIVE or TCP_USER_TIMEOUT"
  }

  private func finWait2(_ socket: StuckSocket) -> String {
    switch socket.verdict {
    case .orphan:
      return "this side has closed; \(peer(socket)) has acknowledged the FIN but not closed its side: the peer must "
        + "close, or else the kernel drops the connection after net.ipv4.tcp_fin_timeout"
    case .unknown:
      return "\(owner(socket)) closed or shut down sending\(ago(socket)), and \(peer(socket)) hasn't closed its side: "
        + "the peer must close"
    default:
      return "\(owner(socket)) shut down sending\(ago(socket)), and \(peer(socket)) hasn't closed its side: the peer "
        + "must close; calling close() here would let the kernel drop the connection after net.ipv4.tcp_fin_timeout"
    }
  }

  private func owner(_ socket: StuckSocket) -> String {
    socket.verdict == .orphan ? "this side" : style.owners(socket.processes)
  }

  private func whose(_ socket: StuckSocket) -> String {
    socket.processes.isEmpty && socket.verdict != .orphan ? "the" : "\(owner(socket))'s"
  }

  /// Every holder by name: `a/1, b/2 and c/3`.
  private func all(_ socket: StuckSocket) -> String {
    let names = socket.processes.map { style.owner($0) }
    guard names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  private func peer(_ socket: StuckSocket) -> String { style.endpoint(socket.peer) }

  private func ago(_ socket: StuckSocket) -> String {
    socket.age.map { " \(style.duration($0)) ago" } ?? ""
  }

  private func retried(_ socket: StuckSocket) -> String {
    guard let timeouts = socket.timeouts, timeouts > 0 else { return "" }
    return " after \(StuckStyle.count(Int(timeouts), "retransmission"))"
  }
}
