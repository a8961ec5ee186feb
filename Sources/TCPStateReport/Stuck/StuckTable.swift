// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The sockets that `stuck` found, for people: one line per socket, one line per
/// process, and one sentence per verdict.
public struct StuckTable: Sendable {
  private let reading: StuckReading
  private let style: StuckStyle

  public init(_ reading: StuckReading, style: StuckStyle) {
    self.reading = reading
    self.style = style
  }

  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    let sockets = reading.listed.filter { $0.state != .timeWait }
    if !sockets.isEmpty { append(sockets, header: header, to: &buffer) }
    if !reading.timeWait.isEmpty {
      if !sockets.isEmpty { buffer.append("\n") }
      TimeWaitTable(reading.timeWait, style: style).append(to: &buffer, header: header)
    }
    guard !sockets.isEmpty else { return }
    buffer.append("\n")
    for share in reading.processes {
      buffer.append(line(of: share))
      buffer.append("\n")
    }
    for sentence in StuckAdvice(style: style).sentences(sockets) {
      buffer.append(sentence)
      buffer.append("\n")
    }
  }

  private func append(_ sockets: [StuckSocket], header: Bool, to buffer: inout ByteBuffer) {
    let showsState = sockets.contains { $0.state != sockets[0].state }
    let showsNamespace = sockets.contains { $0.netns != style.ownNamespace }
    var columns: [(String, TextTable.Alignment)] = [("AGE", .right)]
    if showsState { columns.append(("STATE", .left)) }
    columns += [("OWNER", .left), ("FD", .right)]
    if showsNamespace { columns.append(("NETNS", .left)) }
    columns += [("LOCAL", .left), ("PEER", .left), ("UNREAD", .right), ("UNSENT", .right), ("VERDICT", .left)]
    var table = TextTable(columns)
    for socket in sockets {
      var cells = [style.age(of: socket)]
      if showsState { cells.append(socket.state.name(.rfc)) }
      cells.append(owner(of: socket))
      cells.append(Self.descriptors(of: socket, glyphs: style.table.glyphs))
      if showsNamespace { cells.append(style.namespace(socket.netns)) }
      cells += [
        style.endpoint(socket.local), style.endpoint(socket.peer), style.bytes(socket.unreadBytes),
        style.bytes(socket.unsentBytes), Self.words(socket.verdict), detail(of: socket),
      ]
      table.add(cells, color: StateColor.of(socket.state))
    }
    table.append(to: &buffer, header: header, color: style.table.color)
  }

  func owner(of socket: StuckSocket) -> String {
    guard let owner = socket.owner else { return style.table.glyphs.unknown.description }
    return style.owner(owner)
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
      parts.append("with " + others.map { style.holder($0) }.joined(separator: ", "))
    default: break
    }
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

  /// `nginx/812 holds 2 (oldest ≥ 3 h 12 m, all from 10.0.0.9)`
  private func line(of share: ProcessShare) -> String {
    let name = OwnerText.string(name: share.name, pid: share.pid, glyphs: style.table.glyphs)
    let held = share.count - share.waiting - share.halfOpen
    var what: [String] = []
    if held > 0 {
      what.append("\(share.oldest?.verdict == .unknown ? "owned" : "holds") \(NumberText.string(UInt64(held)))")
    }
    if share.waiting > 0 { what.append("hasn't accepted \(NumberText.string(UInt64(share.waiting)))") }
    if share.halfOpen > 0 { what.append("has \(StuckStyle.count(share.halfOpen, "half-open request"))") }
    var line = "\(name) \(what.joined(separator: " and "))"
    if let oldest = share.oldest {
      line += oldest.age == nil ? " (\(peers(share)))" : " (oldest \(style.duration(oldest.age)), \(peers(share)))"
      if let workload = WorkloadText.full(oldest.workload) {
        line += " in \(workload)"
      } else if let cgroup = oldest.cgroup.flatMap({ style.cgroups[$0] }), cgroup != "/" {
        line += " in \(TerminalText.visible(cgroup))"
      }
    }
    return line
  }

  private func peers(_ share: ProcessShare) -> String {
    let shown = share.peers.prefix(3).map { AddressText.string($0) }
    if share.peers.count == 1 { return share.count == 1 ? "from \(shown[0])" : "all from \(shown[0])" }
    guard share.peers.count > 3 else {
      return "from \(shown.dropLast().joined(separator: ", ")) and \(shown.last ?? "")"
    }
    return "from \(shown.joined(separator: ", ")) and \(share.peers.count - 3) more"
  }
}
