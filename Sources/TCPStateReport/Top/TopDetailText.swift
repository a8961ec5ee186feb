// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The detail screen of `top`: one connection's timeline, holders, sequence numbers and windows.
struct TopDetailText {
  let board: TopBoard
  let text: TopText

  func lines(_ id: UInt64) -> [String] {
    guard let facts = board.facts, facts.connection == id else {
      let there = board.recording == nil ? "has ended" : "doesn't exist at this moment"
      return ["", "This connection \(there). Esc returns to the list."]
    }
    let live = board.detail.flatMap { $0.socket.connection == id ? $0 : nil }
    let owner = OwnerText.string(of: facts, glyphs: text.style.glyphs)
    var lines = [
      "",
      "\(facts.role.name) \(owner)  \(EndpointText.string(facts.local))  "
        + "\(text.style.glyphs.arrow)  \(EndpointText.string(facts.peer))",
      "",
    ]
    for stay in board.past {
      lines.append(
        "  " + text.paint(text.fit(stay.state.name(.rfc), 12), stay.state)
          + text.fit(text.duration(stay.nanoseconds), 14, right: true))
    }
    lines.append(
      "  " + text.paint(text.fit(facts.new.name(.rfc), 12), facts.new)
        + text.fit(text.age(facts.stay), 14, right: true) + "  now")
    lines.append("")
    lines += holders(facts, live) + transfer(facts, live) + flow(facts, live)
    lines += [
      label("in") + (WorkloadText.full(facts.workload) ?? text.unknown),
      label("user") + "\(text.sequence(facts.userID)), network namespace \(text.sequence(facts.netns))"
        + (facts.cgroup.map { ", cgroup \($0)" } ?? ""),
      label("id") + Self.hex(id),
    ]
    return lines.map { $0.contains("\u{1b}") ? $0 : text.fit($0, text.width, pads: false) }
  }

  private func label(_ name: String) -> String { "  " + text.fit(name, 10) }

  /// The processes that hold the socket, their descriptors, and the verdict.
  private func holders(_ facts: Transition, _ live: TopDetail?) -> [String] {
    guard let live else {
      return [label("holders") + (board.recording == nil ? text.unknown : "not in a recording")]
    }
    let style = StuckStyle(table: text.style)
    let socket = live.socket
    let names = socket.holders.map { style.holder($0) }.joined(separator: ", ")
    let table = StuckTable(StuckReading(), style: style)
    let detail = socket.verdict == .shared ? "" : table.detail(of: socket)
    let verdict = [StuckTable.words(socket.verdict), detail].filter { !$0.isEmpty }.joined(separator: ", ")
    let doing = ActivityText(style: style).lines(socket)
    return paragraph("holders", "\(names.isEmpty ? "none" : names) (\(verdict))")
      + doing.enumerated().flatMap { paragraph($0 == 0 ? "doing" : "", $1) }
  }

  private func paragraph(_ name: String, _ words: String) -> [String] {
    text.wrap(words, indent: 12).enumerated().map { index, line in
      index == 0 ? label(name) + line.dropFirst(12) : line
    }
  }

  private func transfer(_ facts: Transition, _ live: TopDetail?) -> [String] {
    let rtt = (live?.flow.rttMicroseconds ?? facts.rttMicroseconds).map { text.duration(UInt64($0) * 1000) }
    var lines = [
      label("payload") + "sent \(text.bytes(live?.flow.bytesSent ?? facts.bytesSent)), "
        + "received \(text.bytes(live?.flow.bytesReceived ?? facts.bytesReceived)), "
        + "retransmits \(text.number(live?.flow.retransmits ?? facts.retransmits)), rtt \(rtt ?? text.unknown)"
    ]
    guard let live else { return lines }
    lines.append(
      label("waiting")
        + "unread \(text.bytes(live.socket.unreadBytes)), unsent \(text.bytes(live.socket.unsentBytes)), "
        + "unacknowledged \(text.bytes(live.socket.unacknowledgedBytes))")
    return lines
  }

  /// Sequence numbers and windows: as just read from the kernel, or else as of the last transition.
  private func flow(_ facts: Transition, _ live: TopDetail?) -> [String] {
    let flow = live?.flow ?? facts
    let window = { (bytes: UInt32?) in text.bytes(bytes.map { UInt64($0) }) }
    var congestion = "congestion \(text.number(flow.congestionWindowPackets)) packets"
    if let threshold = flow.slowStartThresholdPackets { congestion += " (slow start below \(text.number(threshold)))" }
    if !flow.congestionControl.isEmpty { congestion += ", \(TerminalText.visible(flow.congestionControl.description))" }
    return [
      label("initial") + "send \(text.sequence(facts.initialSendSequence)), "
        + "receive \(text.sequence(facts.initialReceiveSequence))",
      label("next") + "send \(text.sequence(flow.sendNext ?? facts.sendNext)), "
        + "receive \(text.sequence(flow.receiveNext ?? facts.receiveNext)), "
        + "unacknowledged from \(text.sequence(flow.sendUnacknowledged))",
      label("windows") + "send \(window(flow.sendWindowBytes)), receive \(window(flow.receiveWindowBytes)), "
        + "rto \(flow.rtoMicroseconds.map { text.duration($0 * 1000) } ?? text.unknown)",
      label("") + congestion,
    ]
  }

  private static func hex(_ id: UInt64) -> String {
    var buffer = ByteBuffer(capacity: 64)
    buffer.append(hex16: id)
    return buffer.text
  }
}
