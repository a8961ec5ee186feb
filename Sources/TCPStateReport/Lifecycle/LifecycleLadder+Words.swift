// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A ladder's words.
extension LifecycleLadder {
  /// Seconds since the beginning, to the microsecond; empty if unknown.
  func timeText(_ step: LifecycleStep, since start: UInt64) -> String {
    guard step.basis.isSeen, let time = step.time else { return "" }
    let micros = (time &- min(start, time)) / 1_000
    let digits = String(micros % 1_000_000)
    let isASCII = glyphs.line == "-"
    let bound =
      switch step.timeKind {
      case .exact: ""
      case .atLeast: isASCII ? ">=" : "≥"
      case .atMost: isASCII ? "<=" : "≤"
      }
    return "\(bound)\(micros / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
  }

  func actText(_ step: LifecycleStep, _ life: Lifecycle) -> String? {
    let text: String
    switch step.act {
    case .close: text = "close()"
    case .shutdown: text = "shutdown()"
    case .closeOrShutdown: text = "close() or shutdown()"
    case .endOfFile: return "read() \(style.glyphs.arrow) EOF"
    case .abort:
      if let unread = life[step.side]?.facts.unreadBytes, unread > 0 {
        text = "close(), \(ByteCountText.string(UInt64(unread))) unread"
      } else {
        text = step.segment == nil ? "close()" : "abort" + Self.detail(step.resetReason)
      }
    case .kill: text = "killed"
    case .listenerClosed: text = "its listener was closed"
    case nil:
      // The kernel sent this RST by itself, so its reason is all there is to say.
      return step.segment?.flags.contains(.rst) == true ? step.resetReason?.words?.description : nil
    }
    guard let pid = step.actorPID else { return text }
    return "\(text) by \(OwnerText.string(name: step.actorName, pid: pid, glyphs: style.glyphs))"
  }

  /// The text in the lane of a step that sends nothing.
  func remark(_ step: LifecycleStep, after previous: LifecycleStep?, _ life: Lifecycle) -> String? {
    if let act = actText(step, life) { return act }
    if step.phase == .close, step.number == 4, previous?.number == 5 { return "FIN acknowledged by step 5" }
    if step.basis == .expected { return "after 60 s" }
    return step.reason?.outcome?.description
  }

  /// How the life ended, or where it stands.
  func outcome(_ life: Lifecycle) -> String {
    let first: String
    switch life.closer {
    case .client: first = "the client closed first"
    case .server: first = "the server closed first"
    case .both: first = "both closed at once"
    case nil: first = ""
    }
    let ending = ending(life)
    return [first, ending].filter { !$0.isEmpty }.joined(separator: glyphs.separator)
  }

  private func ending(_ life: Lifecycle) -> String {
    guard life.isSettled else {
      let open = Side.allCases.compactMap { side in
        life[side].flatMap { $0.isClosed ? nil : "\(side.name) still in \($0.state.name(.rfc))" }
      }
      return open.joined(separator: glyphs.separator)
    }
    // This is about both ends: what one sent the other received, and which end acted has to be named.
    switch life.reason {
    case .reused: return ""  // A new connection took over after an orderly close.
    case .resetReceived, .resetSent: return "reset" + Self.detail(resetReason(life))
    case .aborted: return "aborted by the \(actor(life, .aborted))" + Self.detail(resetReason(life))
    case .killed: return "killed by an administrator"
    default: return life.reason?.outcome?.description ?? ""
    }
  }

  /// ` (linger)`
  private static func detail(_ reason: ResetReason?) -> String { reason?.words.map { " (\($0))" } ?? "" }

  private func resetReason(_ life: Lifecycle) -> ResetReason? {
    Side.allCases.compactMap { life[$0]?.facts.resetReason }.first
  }

  private func actor(_ life: Lifecycle, _ reason: Reason) -> String {
    (Side.allCases.first { life[$0]?.facts.reason == reason } ?? .client).name.description
  }

  // MARK: - Title

  func endText(_ life: Lifecycle, _ side: Side) -> String {
    if let end = life[side] {
      let owner = OwnerText.string(of: end.facts, glyphs: style.glyphs)
      let place = end.facts.workload.isContainer ? WorkloadText.short(end.facts.workload, glyphs: style.glyphs) : nil
      let whose = end.facts.ownerPID == nil && end.facts.ownerName.isEmpty ? "" : "\(owner) "
      let before = whose + (place.map { "in \($0) " } ?? "")
      // `client  ` or `server  ` stands before it.
      let room = style.width.map { max(1, $0 - 8 - DisplayWidth.of(before)) } ?? .max
      return before + EndpointText.string(end.facts.local, fitting: room, glyphs: style.glyphs)
    }
    guard let other = life[side.other] else { return "" }
    return EndpointText.string(other.facts.peer, glyphs: style.glyphs)
  }

  /// - Parameter isBeginning: whether the rest isn't known yet, so that only the beginning is shown.
  mutating func appendTitle(
    _ life: Lifecycle, _ layout: LadderLayout, isBeginning: Bool = false, to buffer: inout ByteBuffer
  ) {
    let client = endText(life, .client)
    let server = endText(life, .server)
    let filler = layout.width - DisplayWidth.of(client) - DisplayWidth.of(server) - 3
    var line = LadderLine(color: style.color)
    let role = (life.client ?? life.server)?.facts.role
    if filler >= 3 {
      let edge = layout.server + 14
      let shaft = max(min(filler, edge - DisplayWidth.of(client) - DisplayWidth.of(server) - 3), 3)
      let arrow = String(repeating: glyphs.line, count: shaft) + String(role == .unknown ? glyphs.line : glyphs.right)
      line.put("\(client) \(arrow) \(server)", at: 0, StateColor.heading)
      line.append(to: &buffer)
    } else {
      for (name, end) in [("client", client), ("server", server)] {
        line = LadderLine(color: style.color)
        line.put("\(name)  \(end)", at: 0, StateColor.heading)
        line.append(to: &buffer)
      }
    }
    var text = ByteBuffer(capacity: 256)
    clock.append(life.start, precision: .microseconds, to: &text)
    let isWhole = life.beginningSeen && life.isSettled
    let lived = DurationText.string(
      life.end &- min(life.start, life.end), kind: isWhole ? .exact : .atLeast, glyphs: style.glyphs)
    var parts = (isBeginning ? [text.text] : [text.text, lived, outcome(life)]).filter { !$0.isEmpty }
    let id = String(life.id, radix: 16)
    parts.append("connection " + String(repeating: "0", count: max(16 - id.count, 0)) + id)
    for row in wrap(parts, layout.width) {
      line = LadderLine(color: style.color)
      line.put(row, at: 0, Self.faint)
      line.append(to: &buffer)
    }
  }

  /// Joins parts with separators into lines of at most `width`.
  func wrap(_ parts: [String], _ width: Int) -> [String] {
    var rows: [String] = []
    for part in parts {
      if let last = rows.last, DisplayWidth.of(last) + DisplayWidth.of(part) + 3 <= width {
        rows[rows.count - 1] = last + glyphs.separator + part
      } else {
        rows.append(part)
      }
    }
    return rows
  }

  func appendHeading(_ life: Lifecycle, _ layout: LadderLayout, to buffer: inout ByteBuffer) {
    var line = LadderLine(color: style.color)
    line.put("TIME", endingAt: layout.timeEnd, StateColor.heading)
    line.put("#", at: layout.number, StateColor.heading)
    line.put("CLIENT", at: layout.client, StateColor.heading)
    if !layout.names {
      line.put("SEQ", endingAt: layout.lane + layout.sequenceEnd, StateColor.heading)
      line.put("ACK", endingAt: layout.lane + layout.acknowledgementEnd, StateColor.heading)
    }
    line.put("SERVER", at: layout.server, StateColor.heading)
    line.append(to: &buffer)
    line = LadderLine(color: style.color)
    for side in Side.allCases {
      guard let state = life.initialState(of: side), life.beginningSeen else { continue }
      let seen = life[side] != nil
      line.put(
        seen ? state.name(.rfc) : "(\(state.name(.rfc)))", at: side == .client ? layout.client : layout.server,
        seen ? StateColor.of(state) : Self.faint)
    }
    if !life.beginningSeen { line.put("the beginning was not seen", at: layout.lane, Self.faint) }
    if line.width > 0 { line.append(to: &buffer) }
  }
}
