import TCPStateCore

/// One plain sentence for each state and verdict found: what it means and what
/// to do next, told by its oldest socket.
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
      return "open, but no process seen from here has a descriptor of it: its process is outside of this PID "
        + "namespace, or it is on its way over a Unix socket (SCM_RIGHTS), or registered with io_uring only"
    case .held, .shared, .orphan, .unknown: break
    }
    switch socket.state {
    case .closeWait: return closeWait(socket)
    case .established: return established(socket)
    case .synSent:
      return "\(end(socket)) hasn't answered \(whose(socket)) SYN\(retried(socket)): nothing is there, or a firewall "
        + "drops it; check the address and route, and give connect() a timeout of its own"
    case .finWait1, .lastAck, .closing:
      return "this side has closed, and \(end(socket)) hasn't acknowledged the FIN\(retried(socket)): the peer or "
        + "the path must act; the kernel gives up by itself after some more retransmissions"
    case .finWait2: return finWait2(socket)
    case .synReceived: return halfOpen(socket)
    case .listen: return "it listens; that is what it is for"
    default: return "in \(socket.state.name(.rfc))"
    }
  }

  private func closeWait(_ socket: StuckSocket) -> String {
    let since = "the peer closed\(ago(socket))"
    let unread = socket.unreadBytes ?? 0
    if socket.verdict == .unknown {
      return "\(since), and \(who(socket)) hadn't closed it: look for a missing close() after EOF. A recording "
        + "doesn't tell whether others have it too, or nobody has accepted it; stuck without --read does, while it lasts"
    }
    let leftover = unread > 0 ? ", \(ByteCountText.string(unread)) unread" : ""
    if socket.verdict == .shared {
      return "\(since), and the connection stays until each of \(all(socket)) has closed it\(leftover): close "
        + "inherited descriptors after fork() or in those that only pass them on, or set SOCK_CLOEXEC"
    }
    let descriptors = StuckTable.descriptors(of: socket, glyphs: style.table.glyphs)
    return "\(since), \(who(socket)) never closed fd \(descriptors)\(leftover): look for a missing close() after EOF"
  }

  private func unaccepted(_ socket: StuckSocket) -> String {
    let gone = socket.state == .closeWait ? "the client has come and gone" : "the client waits"
    guard let listener = socket.listeners.first else {
      return "\(gone), and nobody has called accept(); its listener can't be found"
    }
    let full = listener.acceptQueue > listener.acceptQueueLimit ? ", which is full, so newcomers are dropped" : ""
    return "\(gone), and \(style.owners(socket.responsible)) hasn't called accept(): "
      + "\(NumberText.string(UInt64(listener.acceptQueue))) wait in its queue of "
      + "\(NumberText.string(UInt64(listener.acceptQueueLimit)))\(full); find out what it is busy with or blocked on"
  }

  private func halfOpen(_ socket: StuckSocket) -> String {
    let backlog = socket.listeners.first.map {
      "; \($0.requestQueue) such wait at \(style.owners(socket.responsible)), and its accept queue has "
        + "\($0.acceptQueue) of \($0.acceptQueueLimit)"
    }
    return "the last ACK of \(end(socket))'s handshake hasn't come\(retried(socket)): the client is gone, the way to "
      + "it is broken, the accept queue is full, or it is a SYN flood\(backlog ?? "")"
  }

  private func established(_ socket: StuckSocket) -> String {
    "nothing has come from \(end(socket)) for \(style.duration(socket.age)): if \(who(socket)) should have noticed, "
      + "give it a timeout, or set SO_KEEPALIVE or TCP_USER_TIMEOUT"
  }

  private func finWait2(_ socket: StuckSocket) -> String {
    if socket.verdict == .orphan {
      return "closed here; \(end(socket)) has acknowledged that and not closed its side: the peer must act, else the "
        + "kernel drops it after net.ipv4.tcp_fin_timeout"
    }
    if socket.verdict == .unknown {
      return "\(who(socket)) has closed or shut down sending\(ago(socket)), and \(end(socket)) hasn't closed: the "
        + "peer must act"
    }
    return "\(who(socket)) has shut down sending\(ago(socket)), and \(end(socket)) hasn't closed: the peer must act; "
      + "close() here would let the kernel drop it after net.ipv4.tcp_fin_timeout"
  }

  private func who(_ socket: StuckSocket) -> String {
    socket.verdict == .orphan ? "this side" : style.owners(socket.processes)
  }

  private func whose(_ socket: StuckSocket) -> String {
    socket.processes.isEmpty && socket.verdict != .orphan ? "the" : "\(who(socket))'s"
  }

  /// Every holder by name: `a/1, b/2 and c/3`.
  private func all(_ socket: StuckSocket) -> String {
    let names = socket.processes.map { style.owner($0) }
    guard names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  private func end(_ socket: StuckSocket) -> String { style.endpoint(socket.peer) }

  private func ago(_ socket: StuckSocket) -> String {
    socket.age.map { " \(style.duration($0)) ago" } ?? ""
  }

  private func retried(_ socket: StuckSocket) -> String {
    guard let timeouts = socket.timeouts, timeouts > 0 else { return "" }
    return " after \(StuckStyle.count(Int(timeouts), "retransmission"))"
  }
}
