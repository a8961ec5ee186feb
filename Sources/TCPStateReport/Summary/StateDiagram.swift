// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The state machine of RFC 9293, figure 5, with how often each transition was made, and how long sockets had been in
/// the state that they left: 80 columns wide.
public struct StateDiagram {
  private let style: TableStyle
  private var canvas: TextCanvas
  /// The transitions that were made but aren't in the figure.
  private var others: TextTable
  private var otherCount = 0
  private let knowsMoves: Bool

  /// - Parameter summary: one that counts moves, unless it is the kernel side's; ungrouped.
  public init(_ summary: borrowing StaySummary, style: TableStyle) {
    self.style = style
    knowsMoves = summary.knowsRows
    canvas = TextCanvas(width: StateFigure.width, height: StateFigure.height, isASCII: style.glyphs.arrowWidth > 1)
    others = TextTable([("NOT IN THE FIGURE", .left), ("TIMES", .right), ("P50", .right), ("P99", .right)])
    let lines = SummaryLines(summary)
    for place in StateFigure.places {
      draw(place, lines.lines.first { $0.summary.state == place.state }?.summary)
    }
    for line in StateFigure.lines { draw(line, summary) }
    addOthers(summary)
  }

  /// Appends the figure, what its numbers are, and a table of the transitions that aren't in it.
  public func append(to buffer: inout ByteBuffer) {
    canvas.append(to: &buffer, color: style.color)
    buffer.append(
      "\nOn arrows: how often, and p50/p99 of the stays that ended so. In boxes: stays, p50/p99, open now.\n")
    if !knowsMoves { buffer.append("The kernel side counts stays per state, not where they led.\n") }
    guard otherCount > 0 else { return }
    buffer.append("\n")
    others.append(to: &buffer, color: style.color)
  }

  private mutating func draw(_ place: StateFigure.Place, _ summary: StateSummary?) {
    canvas.box(at: TextCanvas.Point(place.x, place.y), width: StateFigure.boxWidth, height: place.height)
    let last = place.x + StateFigure.boxWidth - 2
    let color = style.color ? StateColor.of(place.state) : nil
    canvas.put(" \(place.state.name(.rfc)) ", at: TextCanvas.Point(place.x + 1, place.y), color: color)
    // Nothing is known of how long sockets stay closed.
    guard let summary, place.state != .closed else { return }
    canvas.put(" \(count(summary.stays)) ", endingAt: TextCanvas.Point(last, place.y))
    if let stays = durations(summary.p50, summary.p99) {
      canvas.put(stays, endingAt: TextCanvas.Point(last - 1, place.y + 1))
    }
    if summary.openNow > 0 {
      let open = "\(count(summary.openNow)) open"
      canvas.put(" \(open) ", endingAt: TextCanvas.Point(last, place.y + place.height - 1))
    }
  }

  private mutating func draw(_ line: StateFigure.Line, _ summary: borrowing StaySummary) {
    canvas.arrow(line.points.map { TextCanvas.Point($0.0, $0.1) })
    let move = Move(line.old, line.new)
    // What isn't counted is shown as unknown, not as never.
    guard summary.knowsRows else { return put([style.glyphs.unknown.description], line) }
    let times = summary.moves.count(of: move)
    guard times > 0 else { return put(["0"], line) }
    let stays = summary.moves.stays(before: move)?.summary(of: line.old, openNow: 0)
    let text = [NumberText.string(times), durations(stays?.p50, stays?.p99) ?? ""]
    put(line.isFlat ? [text.filter { !$0.isEmpty }.joined(separator: "  ")] : text, line)
  }

  private mutating func put(_ text: [String], _ line: StateFigure.Line) {
    for (row, text) in text.enumerated() {
      let point = TextCanvas.Point(line.text.x, line.text.y + row)
      if line.endsThere { canvas.put(text, endingAt: point) } else { canvas.put(text, at: point) }
    }
  }

  private mutating func addOthers(_ summary: borrowing StaySummary) {
    let drawn = Set(StateMachine.arrows.map(\.move))
    for move in summary.moves.moves where !drawn.contains(move) {
      let stays = summary.moves.stays(before: move)?.summary(of: move.old, openNow: 0)
      otherCount += 1
      others.add([
        "\(move.old.name(.rfc)) \(style.glyphs.arrow) \(move.new.name(.rfc))",
        NumberText.string(summary.moves.count(of: move)), duration(stays?.p50), duration(stays?.p99),
      ])
    }
    guard summary.moves.unknown > 0 else { return }
    otherCount += 1
    others.add([
      "unknown states", NumberText.string(summary.moves.unknown), duration(nil), duration(nil),
    ])
  }

  /// Exact below a million, then three digits: a box has seven columns for it.
  private func count(_ number: UInt64) -> String {
    for (unit, name) in [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M")] as [(UInt64, String)]
    where number >= unit {
      let hundredths = number / (unit / 100)
      let tenths = hundredths / 10
      if hundredths < 1_000 {
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) \(name)"
      }
      return tenths < 1_000 ? "\(tenths / 10).\(tenths % 10) \(name)" : "\(number / unit) \(name)"
    }
    return NumberText.string(number)
  }

  /// `1.20 ms/5.80 s`; `nil` if they aren't known.
  private func durations(_ p50: UInt64?, _ p99: UInt64?) -> String? {
    guard let p50, let p99 else { return nil }
    return "\(duration(p50))/\(duration(p99))"
  }

  private func duration(_ nanoseconds: UInt64?) -> String {
    nanoseconds.map { DurationText.string($0, glyphs: style.glyphs) } ?? style.glyphs.unknown.description
  }
}
