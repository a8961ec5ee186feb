// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

// MARK: - The handshake

extension StuckAdvice {
  func connecting(_ found: StuckCase) -> String {
    let syn = found.isOne ? "\(found.whose) SYN" : "the SYNs of \(found.socketsText) of \(found.owners)"
    return
      "\(found.peer) \(found.peerHas)n't answered \(syn)\(found.retried): the host is down, or a firewall drops the SYN; "
      + "check the address and the route, and give connect() a timeout of its own"
  }

  func halfOpen(_ found: StuckCase) -> String {
    let listener = found.oldest.listeners.first
    let queues = listener.map {
      "\(StuckStyle.count(Int($0.requestQueue), "half-open request")), and \($0.acceptQueue) of \($0.acceptQueueLimit) in "
        + "its accept queue"
    }
    let whose = listener == nil ? "the listener" : found.owners
    let shakes = found.isOne ? "the handshake" : StuckStyle.count(found.sockets.count, "handshake")
    switch found.cause {
    case .awaitsData:
      return
        "\(found.peer) \(found.peerHas) completed \(shakes) and sent nothing since: \(whose) has set TCP_DEFER_ACCEPT, so "
        + "accept() returns the connection with its first data; the client is slow, or only opens connections"
    case .queueFull:
      return
        "\(found.peer) \(found.peerHas) completed \(shakes), and \(whose) had no room in its accept queue: it doesn't call "
        + "accept() often enough, or its backlog is too small" + (queues.map { "; it has \($0)" } ?? "")
    default:
      let reasons = [
        found.isOne ? "the client is gone" : "the clients are gone",
        found.isOne ? "the path to it is broken" : "the path to them is broken",
        listener.map { $0.acceptQueue > $0.acceptQueueLimit } == true ? "the accept queue is full" : nil,
      ].compactMap { $0 }
      let missing =
        found.isOne
        ? "the last ACK of \(found.peer)'s handshake hasn't arrived"
        : "the last ACKs of \(shakes) from \(found.peer) haven't arrived"
      return "\(missing)\(found.retried): \(reasons.joined(separator: ", ")), or this is a SYN flood"
        + (queues.map { "; \(whose) has \($0)" } ?? "")
    }
  }
}

// MARK: - Open, and closed by this side

extension StuckAdvice {
  func established(_ found: StuckCase) -> String {
    let who = found.owners
    switch found.cause {
    case .notReading:
      return "\(who) \(found.has)n't read \(unread(found)) from \(found.peer): \(whereItWaits(found))"
    case .windowShut: return windowShut(found)
    case .unanswered, .probeUnanswered: return noAnswer(found)
    case .sending:
      return
        "\(who) \(found.isOrAre) sending to \(found.peer)\(found.onSockets) (\(waiting(found))): nothing is wrong while "
        + "that gets less"
    default: break
    }
    guard let silence = found.sockets.compactMap(\.silence).max() else {
      return "established\(found.ago) and still open: a recording doesn't show when data last arrived"
    }
    let quiet =
      "nothing has arrived from \(found.peer)\(found.onSockets) for \(found.isOne ? "" : "up to ")\(style.duration(silence))"
    if found.sockets.allSatisfy({ $0.hasKeepalive == true }) {
      return
        "\(quiet), but its kernel answers keepalive probes: the connection works and is unused; if \(who) should have closed "
        + "it, give it an idle timeout"
    }
    return "\(quiet): if \(who) should have noticed, give it a timeout, or set SO_KEEPALIVE or TCP_USER_TIMEOUT"
  }

  func closing(_ found: StuckCase) -> String {
    let unsent = found.sum(\.unsentBytes)
    let closed =
      "this side has closed\(unsent > 0 ? " with \(ByteCountText.string(unsent)) unsent" : "")\(found.onSockets)"
    let fin = found.isOne ? "the FIN" : "the FINs"
    switch found.cause {
    case .windowShut:
      let window = found.isOne ? "its receive window" : "the receive windows"
      return
        "\(closed), and \(found.peer) \(found.peerHas) shut \(window)\(found.shutFor), so \(fin) "
        + "\(found.isOne ? "isn't" : "aren't") sent yet: the program there doesn't read"
    case .probeUnanswered: return "\(closed), and \(noAnswer(found))"
    case .finUnsent:
      return "\(closed), and \(fin) \(found.isOne ? "follows" : "follow") that: the path or \(found.peer) is slow"
    default:
      return
        "this side has closed\(found.isOne ? "" : " \(found.socketsText)"), but \(found.peer) \(found.peerHas)n't acknowledged "
        + "\(fin)\(found.retried): the problem is at the peer or on the path; the kernel gives up by itself after more "
        + "retransmissions"
    }
  }

  func finWait2(_ found: StuckCase) -> String {
    let side = found.isOne ? "its side" : "its side of \(found.socketsText)"
    if found.verdict == .orphan {
      return
        "this side has closed; \(found.peer) \(found.peerHas) acknowledged the FIN but not closed \(side): the peer must close, "
        + "or else the kernel drops the connection after net.ipv4.tcp_fin_timeout"
    }
    let shut = "\(found.owners) shut down sending\(found.ago)"
    if found.verdict == .unknown {
      return
        "\(found.owners) closed or shut down sending\(found.ago), and \(found.peer) \(found.peerHas)n't closed \(side): "
        + "the peer must close"
    }
    if found.cause == .notReading {
      return "\(shut), and \(found.has)n't read \(unread(found)) since: \(whereItWaits(found))"
    }
    return
      "\(shut), and \(found.peer) \(found.peerHas)n't closed \(side): the peer must close; calling close() here would let "
      + "the kernel drop the connection after net.ipv4.tcp_fin_timeout"
  }
}
