// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One plain sentence for each state, verdict and cause found: what it means for all sockets of that kind, and what to do
/// next.
struct StuckAdvice {
  let style: StuckStyle

  /// - Parameter sockets: the oldest first.
  func sentences(_ sockets: [StuckSocket]) -> [String] {
    let cases = StuckCase.cases(of: sockets, style)
    let severalStates = cases.contains { $0.state != cases[0].state }
    return cases.map { found in
      let state = severalStates ? "\(found.state.name(.rfc)), " : ""
      let activity = ActivityText(style: style).sentence(found).map { " \($0)." } ?? ""
      return "\(state)\(StuckTable.words(found.verdict)): \(sentence(found)).\(activity)"
    }
  }

  private func sentence(_ found: StuckCase) -> String {
    switch found.verdict {
    case .unaccepted: return unaccepted(found)
    case .halfOpen: return halfOpen(found)
    case .closing:
      return
        "no descriptor refers to \(found.socketsText) any more, but a system call hasn't returned: close() waits for its "
        + "data to be sent (SO_LINGER), or another thread is still in recv(), send(), poll() or io_uring, which keeps the "
        + "socket open after close(); call shutdown() first, which wakes that thread"
    case .unseen:
      return
        "\(found.socketsText) \(found.isOne ? "is" : "are") open, but no visible process has a descriptor: the process is "
        + "outside this PID namespace, the descriptor is in flight over a Unix socket (SCM_RIGHTS), or only io_uring holds it"
    case .held, .shared, .orphan, .unknown: break
    }
    switch found.state {
    case .closeWait: return closeWait(found)
    case .established: return established(found)
    case .synSent: return connecting(found)
    case .finWait1, .lastAck, .closing: return closing(found)
    case .finWait2: return finWait2(found)
    case .synReceived: return halfOpen(found)
    case .listen: return "a listening socket, which is meant to stay in this state"
    default: return "in \(found.state.name(.rfc))"
    }
  }

  /// Where to look for a process that doesn't read.
  func whereItWaits(_ found: StuckCase) -> String {
    if let reason = ActivityText(style: style).reason(found) { return reason }
    let those = found.isOne ? "this socket" : "these sockets"
    return found.processes.count > 1
      ? "the processes are busy or blocked elsewhere, or don't watch \(those); find out where they wait"
      : "the process is busy or blocked elsewhere, or doesn't watch \(those); find out where it waits"
  }

  /// Payload that has arrived, or the end of the stream that a read returns as 0.
  func unread(_ found: StuckCase) -> String {
    let unread = found.sum(\.unreadBytes)
    if found.isOne {
      return unread > 0 ? "the \(ByteCountText.string(unread)) that have arrived" : "the end of the stream"
    }
    return unread > 0
      ? "the \(ByteCountText.string(unread)) that have arrived\(found.onSockets)"
      : "the ends of \(StuckStyle.count(found.sockets.count, "stream"))"
  }

  func waiting(_ found: StuckCase) -> String {
    let bytes = found.sum(\.unsentBytes).saturatingAdding(found.sum(\.unacknowledgedBytes))
    return "\(ByteCountText.string(bytes)) not acknowledged yet"
  }

  func windowShut(_ found: StuckCase) -> String {
    let window = found.isOne ? "its receive window" : "the receive windows of \(found.socketsText)"
    return "\(found.peer) \(found.peerHas) shut \(window)\(found.shutFor), so "
      + "\(ByteCountText.string(found.sum(\.unsentBytes))) of \(found.owners) can't be sent: the program there doesn't read"
  }

  func noAnswer(_ found: StuckCase) -> String {
    let sooner = "the host is down, or the path is broken; the kernel gives up by itself, sooner with TCP_USER_TIMEOUT"
    if found.cause == .probeUnanswered, let probes = found.sockets.compactMap(\.probes).max(), probes > 0 {
      return "\(found.peer) \(found.peerHas)n't answered \(StuckStyle.count(Int(probes), "probe")) in a row"
        + "\(found.onSockets): \(sooner)"
    }
    return "\(found.peer) \(found.peerHas)n't acknowledged what was sent\(found.onSockets)\(found.retried): \(sooner)"
  }
}

// MARK: - The peer has closed

extension StuckAdvice {
  private func closeWait(_ found: StuckCase) -> String {
    let since = found.isOne ? "the peer closed\(found.ago)" : "the peers closed\(found.ago)"
    if found.verdict == .unknown {
      let (them, exist) = found.isOne ? ("the socket", "it exists") : ("these sockets", "they exist")
      return
        "\(since), and \(found.owners) hadn't closed \(found.socketsText): look for a missing close() after EOF. A "
        + "recording doesn't show whether other processes share \(them) or whether accept() was ever called; stuck without "
        + "--read does, while \(exist)"
    }
    switch found.cause {
    case .notReading:
      // With all payload read, only the end of the stream is left: most often the socket was forgotten.
      let lost =
        "\(found.isOne ? "it has forgotten the socket" : "they are forgotten") (look for a missing close()), or "
      return "\(since), and \(found.owners) \(found.has)n't read \(unread(found)): "
        + (found.sum(\.unreadBytes) > 0 ? "" : lost) + whereItWaits(found)
    case .sending:
      return "the \(found.isOne ? "peer has" : "peers have") shut down sending\(found.ago), and \(found.owners) "
        + "\(found.isOrAre) still sending\(found.onSockets) (\(waiting(found))), as in a half-closed connection: nothing is "
        + "wrong while that gets less"
    case .windowShut: return "\(since), and \(windowShut(found))"
    case .unanswered, .probeUnanswered: return "\(since), and \(noAnswer(found))"
    default: return notClosed(found, since)
    }
  }

  private func notClosed(_ found: StuckCase, _ since: String) -> String {
    let unread = found.sum(\.unreadBytes)
    let leftover = unread > 0 ? " (\(ByteCountText.string(unread)) unread)" : ""
    if found.verdict == .shared {
      let remain =
        found.isOne
        ? "the connection remains until each of \(found.owners) has closed it"
        : "\(found.socketsText) remain until each holder (\(found.owners)) has closed them"
      return
        "\(since), and \(remain)\(leftover): close inherited descriptors after fork(), close them in processes that only "
        + "pass them on, or set SOCK_CLOEXEC"
    }
    if found.verdict == .orphan {
      return "\(since), and the kernel is closing the connection\(found.isOne ? "" : "s")"
    }
    let activity = ActivityText(style: style).only(found)
    let halted = activity?.state.isHalted == true ? ActivityText(style: style).reason(found) : nil
    return
      "\(since), and \(found.owners) never closed \(descriptors(found))\(leftover): "
      + (halted ?? "look for a missing close() after EOF")
  }

  /// `fd 14`; of several sockets of one process `37 sockets (fd 4, 5, 7 and 34 more)`, of several processes `37 sockets`.
  private func descriptors(_ found: StuckCase) -> String {
    if found.isOne { return "fd \(StuckTable.descriptors(of: found.oldest, glyphs: style.table.glyphs))" }
    guard found.processes.count == 1 else { return found.socketsText }
    let numbers = found.sockets.compactMap { $0.holders.first?.descriptor }.sorted().map { "\($0)" }
    guard !numbers.isEmpty else { return found.socketsText }
    let shown = numbers.count > 6 ? Array(numbers.prefix(5)) : numbers
    let more = numbers.count - shown.count
    return "\(found.socketsText) (fd \(shown.joined(separator: ", "))\(more > 0 ? " and \(more) more" : ""))"
  }

  private func unaccepted(_ found: StuckCase) -> String {
    let isGone = found.state == .closeWait
    let clients = found.isOne ? "the client" : StuckStyle.count(found.sockets.count, "client")
    let client =
      "\(clients) \(found.isOne ? isGone ? "has" : "is" : isGone ? "have" : "are") \(isGone ? "come and gone" : "waiting")"
    guard let listener = found.oldest.listeners.first else {
      return "\(client), and accept() hasn't been called; the listener can't be found"
    }
    let owners = found.processes.isEmpty ? "an unknown process" : found.owners
    let blame = "\(client), and \(owners) \(found.has)n't called accept()"
    let cause =
      ActivityText(style: style).reason(found)
      ?? "find out what \(found.processes.count > 1 ? "they are" : "it is") busy with or blocked on"
    guard Set(found.sockets.compactMap(\.listeners.first?.local)).count == 1 else { return "\(blame): \(cause)" }
    let full = listener.acceptQueue > listener.acceptQueueLimit ? ", which is full, so new ones are dropped" : ""
    return "\(blame): \(StuckStyle.count(Int(listener.acceptQueue), "connection")) "
      + "\(listener.acceptQueue == 1 ? "is" : "are") waiting in its queue of "
      + "\(NumberText.string(UInt64(listener.acceptQueueLimit)))\(full); \(cause)"
  }
}
