// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The lines above and below the list.
extension TopFrame {
  var header: [String] {
    let rate = board.perSecond.last ?? 0
    // A recording was counted before anything was typed.
    let isCounted = board.recording == nil || view.filter.isEmpty
    let bars = isCounted ? Sparkline.text(board.perSecond, width: 12, glyphs: text.style.glyphs) : ""
    let transitions = isCounted ? "\(NumberText.string(rate)) transitions/s \(bars)  " : ""
    let right = "\(transitions)lost \(NumberText.string(board.lost))"
    return [text.heading(text.spread(place, right))] + stateLines(showsBars: isCounted) + noteLines
  }

  /// The first note. The help has all of them in full.
  private var noteLines: [String] {
    guard let first = board.notes.first, view.screen != .help else { return [] }
    let more = board.notes.count > 1 ? "? shows all \(board.notes.count)" : "? shows all"
    guard board.notes.count > 1 || DisplayWidth.of(first) > width else { return [text.faint(first)] }
    return [text.faint(text.spread(first, more))]
  }

  /// The machine and the time, or the recording and the position in it.
  private var place: String {
    let host = TerminalText.visible(board.host)
    guard let recording = board.recording else {
      let time = text.clock(board.time)
      // What matters most is first: a narrow terminal cuts the end.
      return board.isPaused ? "\(time) PAUSED  \(host)  \(board.kernel)" : "\(host)  \(board.kernel)  \(time)"
    }
    let since = text.duration(board.time - min(recording.start, board.time))
    let whole = text.duration(recording.end - recording.start)
    return "\(text.clock(board.time, fraction: true)) +\(since) of \(whole)  \(host)"
  }

  /// Connections per state that all filters let through, as many to a line as fit.
  private func stateLines(showsBars: Bool) -> [String] {
    let cell = 26
    let perLine = max(1, (width + 2) / cell)
    let states = TCPState.all.filter { $0 != .closed }
    var lines: [String] = []
    for start in stride(from: 0, to: states.count, by: perLine) {
      let cells = states[start..<min(start + perLine, states.count)].map { state in
        let name = text.fit(state.name(.rfc), 12)
        let number = list.counts[Int(state.number)]
        // A million has no room for commas.
        let count = text.fit(number < 1_000_000 ? NumberText.string(number) : "\(number)", 7, right: true)
        let history = showsBars ? board.counts[Int(state.number)] : []
        let bars = text.fit(Sparkline.text(history, width: 4, glyphs: text.style.glyphs), 4)
        return text.paint(name, state) + count + " " + bars
      }
      lines.append(cells.joined(separator: "  "))
    }
    return lines
  }

  var footer: String {
    if view.isTyping { return text.fit("/\(TerminalText.visible(view.filter))_", width) }
    if let message { return text.fit(TerminalText.visible(message), width) }
    return text.spread(choice, hints)
  }

  /// How much is listed, and how.
  private var choice: String {
    let filter = view.filter.isEmpty ? "" : "  filter \(TerminalText.visible(view.filter))"
    if view.showsGroups {
      return "\(NumberText.string(UInt64(list.groups.count))) by \(view.grouping.rawValue)\(filter)"
    }
    let group = view.group.map { "of \($0.name(text.style.glyphs)) " } ?? ""
    let reversed = view.isReversed ? " reversed" : ""
    return "\(NumberText.string(UInt64(list.connections))) \(group)sort \(view.order.rawValue)\(reversed)\(filter)"
  }

  private var hints: String {
    guard let recording = board.recording else { return "/ filter  g group  Enter open  ? help  q quit" }
    let step = text.duration(recording.step)
    return "left right \(step)  Space \(recording.isPlaying ? "stop" : "play")  ? help  q quit"
  }
}
