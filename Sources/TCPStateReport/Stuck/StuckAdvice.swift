// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One plain sentence for each state, verdict and cause found: what it means and what
/// to do next. The oldest socket of each serves as the example.
struct StuckAdvice {
  let style: StuckStyle

  private struct Case: Hashable {
    let state: TCPState
    let verdict: Verdict
    let cause: StuckCause?
  }

  /// - Parameter sockets: the oldest first.
  func sentences(_ sockets: [StuckSocket]) -> [String] {
    var oldest: [(Case, StuckSocket)] = []
    var seen: Set<Case> = []
    for socket in sockets {
      let new = Case(state: socket.state, verdict: socket.verdict, cause: socket.cause)
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
    case .closing:
      return
        "no descriptor refers to the socket any more, but a system call on it hasn't returned: close() waits for its "
        + "data to be sent (SO_LINGER), or another thread is still in recv(), send(), poll() or io_uring, which keeps the "
        + "socket open after close(); call shutdown() first, which wakes that thread"
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
    case .finWait1, .lastAck, .closing: return closing(socket)
    case .finWait2: return finWait2(socket)
    case .synReceived: return halfOpen(socket)
    case .listen: return "a listening socket, which is meant to stay in this state"
    default: return "in \(socket.state.name(.rfc))"
    }
  }
}

// MARK: - The peer has closed

extension StuckAdvice {
  private func closeWait(_ socket: StuckSocket) -> String {
    let since = "the peer closed\(ago(socket))"
    if socket.verdict == .unknown {
      return "\(since), and \(owner(socket)) hadn't closed the socket: look for a missing close() after EOF. A "
        + "recording doesn't show whether other processes share the socket or whether it was ever accepted; stuck "
        + "without --read does, while the socket exists"
    }
    switch socket.cause {
    case .notReading:
      // With all payload read, only the end of the stream is left: most often the socket was forgotten.
      let forgotten = socket.unreadBytes ?? 0 > 0 ? "" : "it has forgotten the socket (look for a missing close()), or "
      return "\(since), and \(owner(socket)) \(has(socket))n't read \(unread(socket)): \(forgotten)\(whereItWaits)"
    case .sending:
      return "the peer has shut down sending\(ago(socket)), and \(owner(socket)) \(isOrAre(socket)) still sending "
        + "(\(waiting(socket))), as in a half-closed connection: nothing is wrong while that gets less"
    case .windowShut: return "\(since), and \(windowShut(socket))"
    case .unanswered, .probeUnanswered: return "\(since), and \(noAnswer(socket))"
    default: return notClosed(socket, since)
    }
  }

  private func notClosed(_ socket: StuckSocket, _ since: String) -> String {
    let leftover = socket.unreadBytes.flatMap { $0 > 0 ? " (\(ByteCountText.string($0)) unread)" : nil } ?? ""
    if socket.verdict == .shared {
      return "\(since), and the connection remains until each of \(all(socket)) has closed it\(leftover): close "
        + "inherited descriptors after fork(), close them in processes that only pass them on, or set SOCK_CLOEXEC"
    }
    if socket.verdict == .orphan { return "\(since), and the kernel is closing the connection" }
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
}

// MARK: - The handshake

extension StuckAdvice {
  private func halfOpen(_ socket: StuckSocket) -> String {
    let listener = socket.listeners.first
    let queues = listener.map {
      "\(StuckStyle.count(Int($0.requestQueue), "half-open request")), and \($0.acceptQueue) of \($0.acceptQueueLimit) in "
        + "its accept queue"
    }
    let whose = listener == nil ? "the listener" : style.owners(socket.responsible)
    switch socket.cause {
    case .awaitsData:
      return
        "\(peer(socket)) has completed the handshake and sent nothing since: \(whose) has set TCP_DEFER_ACCEPT, so "
        + "accept() returns the connection with its first data; the client is slow, or only opens connections"
    case .queueFull:
      return
        "\(peer(socket)) has completed the handshake, and \(whose) had no room for it in its accept queue: it doesn't "
        + "call accept() often enough, or its backlog is too small" + (queues.map { "; it has \($0)" } ?? "")
    default:
      let reasons = [
        "the client is gone", "the path to it is broken",
        listener.map { $0.acceptQueue > $0.acceptQueueLimit } == true ? "the accept queue is full" : nil,
      ].compactMap { $0 }
      return "the last ACK of \(peer(socket))'s handshake hasn't arrived\(retried(socket)): "
        + "\(reasons.joined(separator: ", ")), or this is a SYN flood"
        + (queues.map { "; \(whose) has \($0)" } ?? "")
    }
  }
}

// MARK: - Open, and closed by this side

extension StuckAdvice {
  private func established(_ socket: StuckSocket) -> String {
    let who = owner(socket)
    switch socket.cause {
    case .notReading:
      return "\(who) \(has(socket))n't read \(unread(socket)) from \(peer(socket)): \(whereItWaits)"
    case .windowShut: return windowShut(socket)
    case .unanswered, .probeUnanswered: return noAnswer(socket)
    case .sending:
      return "\(who) \(isOrAre(socket)) sending to \(peer(socket)) (\(waiting(socket))): nothing is wrong while that "
        + "gets less"
    default: break
    }
    guard let silence = socket.silence else {
      return "established\(ago(socket)) and still open: a recording doesn't show when data last arrived"
    }
    let quiet = "nothing has arrived from \(peer(socket)) for \(style.duration(silence))"
    if socket.hasKeepalive == true {
      return
        "\(quiet), but its kernel answers keepalive probes: the connection works and is unused; if \(who) should have "
        + "closed it, give it an idle timeout"
    }
    return "\(quiet): if \(who) should have noticed, give it a timeout, or set SO_KEEPALIVE or TCP_USER_TIMEOUT"
  }

  private func closing(_ socket: StuckSocket) -> String {
    let unsent = socket.unsentBytes.flatMap { $0 > 0 ? " with \(ByteCountText.string($0)) unsent" : nil } ?? ""
    switch socket.cause {
    case .windowShut:
      return
        "this side has closed\(unsent), and \(peer(socket)) has shut its receive window\(shutFor(socket)), so the FIN "
        + "isn't sent yet: the program there doesn't read"
    case .probeUnanswered:
      return "this side has closed\(unsent), and \(noAnswer(socket))"
    case .finUnsent:
      return "this side has closed\(unsent), and the FIN follows that: the path or \(peer(socket)) is slow"
    default:
      return "this side has closed, but \(peer(socket)) hasn't acknowledged the FIN\(retried(socket)): the problem is "
        + "at the peer or on the path; the kernel gives up by itself after more retransmissions"
    }
  }

  private func finWait2(_ socket: StuckSocket) -> String {
    if socket.verdict == .orphan {
      return "this side has closed; \(peer(socket)) has acknowledged the FIN but not closed its side: the peer must "
        + "close, or else the kernel drops the connection after net.ipv4.tcp_fin_timeout"
    }
    if socket.verdict == .unknown {
      return "\(owner(socket)) closed or shut down sending\(ago(socket)), and \(peer(socket)) hasn't closed its side: "
        + "the peer must close"
    }
    if socket.cause == .notReading {
      return
        "\(owner(socket)) shut down sending\(ago(socket)), and hasn't read \(unread(socket)) since: \(whereItWaits)"
    }
    return "\(owner(socket)) shut down sending\(ago(socket)), and \(peer(socket)) hasn't closed its side: the peer "
      + "must close; calling close() here would let the kernel drop the connection after net.ipv4.tcp_fin_timeout"
  }

  private func windowShut(_ socket: StuckSocket) -> String {
    "\(peer(socket)) has shut its receive window\(shutFor(socket)), so \(ByteCountText.string(socket.unsentBytes ?? 0)) of "
      + "\(owner(socket)) can't be sent: the program there doesn't read"
  }

  private func noAnswer(_ socket: StuckSocket) -> String {
    let sooner = "the host is down, or the path is broken; the kernel gives up by itself, sooner with TCP_USER_TIMEOUT"
    if let probes = socket.probes, probes > 0, socket.cause == .probeUnanswered {
      return "\(peer(socket)) hasn't answered \(StuckStyle.count(Int(probes), "probe")) in a row: \(sooner)"
    }
    return "\(peer(socket)) hasn't acknowledged what was sent\(retried(socket)): \(sooner)"
  }
}

// MARK: - Parts of sentences

extension StuckAdvice {
  private var whereItWaits: String {
    "the process is busy or blocked elsewhere, or doesn't watch this socket; find out where it waits"
  }

  private func owner(_ socket: StuckSocket) -> String {
    socket.verdict == .orphan ? "this side" : style.owners(socket.processes)
  }

  private func has(_ socket: StuckSocket) -> String { socket.processes.count > 1 ? "have" : "has" }

  private func isOrAre(_ socket: StuckSocket) -> String { socket.processes.count > 1 ? "are" : "is" }

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

  /// Payload that has arrived, or the end of the stream that a read returns as 0.
  private func unread(_ socket: StuckSocket) -> String {
    guard let unread = socket.unreadBytes, unread > 0 else { return "the end of the stream" }
    return "the \(ByteCountText.string(unread)) that have arrived"
  }

  private func waiting(_ socket: StuckSocket) -> String {
    let (unsent, unacknowledged) = (socket.unsentBytes ?? 0, socket.unacknowledgedBytes ?? 0)
    return "\(ByteCountText.string(unsent.saturatingAdding(unacknowledged))) not acknowledged yet"
  }

  private func shutFor(_ socket: StuckSocket) -> String {
    socket.windowShut.map { " for \(style.duration(Stay(nanoseconds: $0, kind: .atLeast)))" } ?? ""
  }

  private func ago(_ socket: StuckSocket) -> String {
    socket.age == nil ? "" : " \(style.age(of: socket)) ago"
  }

  private func retried(_ socket: StuckSocket) -> String {
    guard let timeouts = socket.timeouts, timeouts > 0 else { return "" }
    return " after \(StuckStyle.count(Int(timeouts), "retransmission"))"
  }
}
