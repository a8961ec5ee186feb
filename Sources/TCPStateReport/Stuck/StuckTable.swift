// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The sockets that `stuck` found, for people: whose they are, a row per socket, one sentence per state, verdict and
/// cause, and the command that ends them.
public struct StuckTable: Sendable {
  private let reading: StuckReading
  private let style: StuckStyle
  private let view: StuckView

  public init(_ reading: StuckReading, style: StuckStyle, view: StuckView = StuckView()) {
    self.reading = reading
    self.style = style
    self.view = view
  }

  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    let sockets = reading.listed.filter { $0.state != .timeWait }
    if !sockets.isEmpty {
      StuckGroupTable(StuckGroup.groups(of: sockets, by: view.grouping), view: view, style: style)
        .append(to: &buffer, header: header)
      if view.listsSockets, view.limit != 0 { list(sockets, header: header, to: &buffer) }
    }
    if !reading.timeWait.isEmpty {
      if !sockets.isEmpty { buffer.append("\n") }
      TimeWaitTable(reading.timeWait, style: style).append(to: &buffer, header: header)
    }
    guard !sockets.isEmpty else { return }
    buffer.append("\n")
    for sentence in StuckAdvice(style: style).sentences(sockets) { write(sentence, to: &buffer) }
    guard view.showsCommand else { return }
    let command = StuckEndCommand(style: style).lines(reading.sockets)
    if !command.isEmpty { buffer.append("\n") }
    // Not broken into lines: it is there to be copied.
    for line in command { buffer.append(line + "\n") }
  }

  private func list(_ sockets: [StuckSocket], header: Bool, to buffer: inout ByteBuffer) {
    buffer.append("\n")
    let shown = sockets.prefix(view.limit ?? .max)
    StuckSocketTable(shown, style: style) { detail(of: $0) }.append(to: &buffer, header: header)
    guard shown.count < sockets.count else { return }
    buffer.append("and \(StuckStyle.count(sockets.count - shown.count, "more socket")); --all lists them\n")
  }

  private func write(_ sentence: String, to buffer: inout ByteBuffer) {
    let lines = style.table.width.map { FittedText.wrapped(sentence, width: $0, rest: "  ") } ?? [sentence]
    for line in lines { buffer.append(line + "\n") }
  }

  /// The first holder's descriptors: `14`, or `14,15` after dup().
  static func descriptors(of socket: StuckSocket, glyphs: Glyphs) -> String {
    guard let pid = socket.holders.first?.pid else { return glyphs.unknown.description }
    let descriptors = socket.holders.filter { $0.pid == pid }.compactMap { $0.descriptor.map { "\($0)" } }
    return descriptors.isEmpty ? glyphs.unknown.description : descriptors.joined(separator: ",")
  }

  /// A verdict for people. Only `half_open` isn't a word yet.
  static func words(_ verdict: Verdict) -> String {
    switch verdict {
    case .halfOpen: "half-open"
    default: verdict.name.description
    }
  }

  /// A cause for people, where the state and the verdict don't say as much.
  private static func words(_ cause: StuckCause) -> String? {
    switch cause {
    case .notReading: "not reading"
    case .windowShut: "peer's window shut"
    case .finUnsent: "FIN not sent yet"
    case .sending: "sending"
    case .unanswered: nil
    case .awaitsData: "waits for data"
    case .queueFull: "queue full"
    case .inSystemCall: "in a system call"
    case .notAccepted, .probeUnanswered, .notClosed, .peerNotClosed, .idle, .handshake: nil
    }
  }

  func detail(of socket: StuckSocket) -> String {
    var parts: [String] = []
    switch socket.mptcp {
    case .connection(let subflows?): parts.append("MPTCP over \(StuckStyle.count(subflows, "TCP connection"))")
    case .connection: parts.append("MPTCP")
    case .subflow: parts.append("carries MPTCP")
    case nil: break
    }
    if let words = socket.cause.flatMap({ Self.words($0) }) {
      let shut = socket.windowShut.map { " for \(style.duration(Stay(nanoseconds: $0, kind: .atLeast)))" }
      parts.append(words + (shut ?? ""))
    }
    switch socket.verdict {
    case .unaccepted, .halfOpen: parts.append(queue(of: socket))
    case .shared:
      let first = socket.holders.first?.pid
      let others = socket.holders.filter { $0.pid != first }
      let shown = others.count > 4 ? others.prefix(3) : others[...]
      let more = others.count - shown.count
      parts.append(
        "with " + shown.map { style.holder($0) }.joined(separator: ", ") + (more > 0 ? " and \(more) more" : ""))
    default: break
    }
    if let remark = ActivityText(style: style).remark(socket) { parts.append(remark) }
    if let timeouts = socket.timeouts, timeouts > 0 { parts.append(StuckStyle.count(Int(timeouts), "retransmit")) }
    if let probes = socket.probes, probes > 0 { parts.append("\(StuckStyle.count(Int(probes), "unanswered probe"))") }
    if let next = socket.nextTimeout { parts.append("next timeout in \(style.duration(next))") }
    return parts.joined(separator: ", ")
  }

  private func queue(of socket: StuckSocket) -> String {
    guard let listener = socket.listeners.first else { return "the listener is gone" }
    let holders = socket.responsible
    let half = "\(NumberText.string(UInt64(listener.requestQueue))) half-open, "
    let queue =
      "\(NumberText.string(UInt64(listener.acceptQueue))) of \(NumberText.string(UInt64(listener.acceptQueueLimit)))"
    // SO_REUSEPORT listeners share a port, and the kernel doesn't show which one's queue a socket is in.
    let which =
      socket.listeners.count == 1 ? "the queue of" : "one of \(socket.listeners.count) queues, such as that of"
    return "in \(which) \(style.owners(holders)) "
      + "(:\(listener.local.port), \(socket.verdict == .halfOpen ? half + "accept queue " : "")\(queue))"
  }
}
