// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A connection as a textbook draws it: both ends, and between them every segment
/// that opened or closed it.
public struct LifecycleLadder: ~Copyable {
  public private(set) var style: TableStyle
  /// Whether sequence numbers are offsets from the initial ones.
  public let relative: Bool
  let glyphs: LadderGlyphs
  var clock: ClockText

  static let faint: StaticString = "\u{1b}[2m"

  public init(style: TableStyle, relative: Bool = false) {
    self.style = style
    self.relative = relative
    glyphs = LadderGlyphs(for: style.glyphs)
    clock = ClockText(utc: style.utc)
  }

  public mutating func resize(width: Int?) { style.width = width }

  /// Appends the ladder of one life and an empty line.
  public mutating func append(_ life: Lifecycle, to buffer: inout ByteBuffer) {
    let steps = life.steps
    let layout = layout(life, steps)
    appendTitle(life, layout, to: &buffer)
    appendHeading(life, layout, to: &buffer)
    var transferred = false
    var previous: LifecycleStep?
    for step in steps {
      if step.phase == .close, !transferred {
        appendTransfer(life, layout, to: &buffer)
        transferred = true
      }
      append(step, after: previous, life, layout, to: &buffer)
      previous = step
    }
    if !transferred { appendTransfer(life, layout, to: &buffer) }
    appendFooter(life, layout, to: &buffer)
    buffer.append(UInt8(ascii: "\n"))
  }

  /// - Parameter isTight: whether there is no room for parentheses around implied states.
  func layout(_ life: Lifecycle, _ steps: [LifecycleStep], isTight: Bool = false) -> LadderLayout {
    let times = steps.map { DisplayWidth.of(timeText($0, since: life.start)) }
    let digits = relative ? steps.map { longestNumber($0, life) }.max() ?? 3 : 10
    return LadderLayout(
      terminal: style.width, timeWidth: times.max() ?? 8,
      stateWidth: life.isJoined || isTight ? 12 : 14, digits: max(digits, 3))
  }

  private func longestNumber(_ step: LifecycleStep, _ life: Lifecycle) -> Int {
    guard let segment = step.segment else { return 0 }
    return max(
      sequenceText(segment, step.side, life).utf8.count, acknowledgementText(segment, step.side, life).utf8.count)
  }

  // MARK: - One step

  /// Appends the lines of one step.
  ///
  /// - Parameter previous: the step shown before it, if any.
  func append(
    _ step: LifecycleStep, after previous: LifecycleStep?, _ life: Lifecycle, _ layout: LadderLayout,
    to buffer: inout ByteBuffer
  ) {
    let isEOF = step.act == .endOfFile
    if let act = actText(step, life), !isEOF, step.segment != nil {
      var line = LadderLine(color: style.color)
      put(aside: act, step, layout, &line)
      line.append(to: &buffer)
    }
    var line = LadderLine(color: style.color)
    line.put(timeText(step, since: life.start), endingAt: layout.timeEnd, Self.faint)
    if let number = step.number { line.put("\(number)", at: layout.number) }
    if step.side == .client { put(stateOf: step, at: layout.client, layout, &line) }
    if let segment = step.segment {
      line.put(arrow(segment, step, life, layout), at: layout.lane, arrowColor(segment, step))
    } else if let text = remark(step, after: previous, life) {
      put(aside: text, step, layout, &line)
    }
    if step.side == .server { put(stateOf: step, at: layout.server, layout, &line) }
    line.append(to: &buffer)
    if isEOF, step.segment != nil, let act = actText(step, life) {
      var line = LadderLine(color: style.color)
      put(aside: act, step, layout, &line)
      line.append(to: &buffer)
    }
  }

  private func put(
    stateOf step: LifecycleStep, at column: Int, _ layout: LadderLayout, _ line: inout LadderLine
  ) {
    guard let state = step.state else { return }
    let name = state.name(.rfc)
    switch step.basis {
    case .observed, .found: line.put(name, at: column, StateColor.of(state))
    case .implied where !layout.parentheses: line.put("~\(name)", at: column, Self.faint)
    case .implied, .expected: line.put("(\(name))", at: column, Self.faint)
    }
    guard layout.showsStays, let stay = step.stay else { return }
    let text = DurationText.string(stay.nanoseconds, kind: stay.kind, glyphs: style.glyphs)
    let end = column + (layout.lane - 1 - layout.client)
    line.put(text, endingAt: end, Self.faint)
  }

  /// Puts text in the lane, next to the end that it is about.
  private func put(aside text: String, _ step: LifecycleStep, _ layout: LadderLayout, _ line: inout LadderLine) {
    let color = step.basis.isSeen ? (step.reason == nil ? nil : StateColor.alarm) : Self.faint
    if step.side == .client {
      line.put(text, at: layout.lane + 3, color)
    } else {
      line.put(text, endingAt: layout.lane + layout.laneWidth - 3, color)
    }
  }

  // MARK: - Arrows

  private func arrowColor(_ segment: LifecycleSegment, _ step: LifecycleStep) -> StaticString? {
    if !step.basis.isSeen { return Self.faint }
    return segment.flags.contains(.rst) || segment.isUnanswered ? StateColor.alarm : nil
  }

  private func arrow(
    _ segment: LifecycleSegment, _ step: LifecycleStep, _ life: Lifecycle, _ layout: LadderLayout
  ) -> String {
    let line = step.basis.isSeen ? glyphs.line : glyphs.dotted
    let toRight = step.side == .client
    let isReset = segment.flags.contains(.rst)
    let tail = isReset ? glyphs.reset : line
    let head: Character = segment.isUnanswered ? "?" : toRight ? glyphs.right : glyphs.left
    var text = toRight ? "\(tail)\(line) " : "\(head)\(line) "
    text += label(segment, step, life, layout)
    text += " "
    let filler = max(layout.laneWidth - text.count - 1, 1)
    text += String(repeating: line, count: filler)
    text.append(toRight ? head : tail)
    return text
  }

  /// `SYN ACK  918230011 3063428174`, each number in a column of its own.
  private func label(
    _ segment: LifecycleSegment, _ step: LifecycleStep, _ life: Lifecycle, _ layout: LadderLayout
  ) -> String {
    func padded(_ number: String, name: String) -> String {
      " " + (layout.names ? name + " " : "")
        + String(repeating: " ", count: max(layout.digits - number.count, 0)) + number
    }
    let flags = segment.flags.names.map(\.description).joined(separator: " ")
    var text = flags
    let isBare = segment.flags == [.rst, .ack] && segment.sequence == nil && segment.acknowledgement == nil
    if isBare { return text }
    text += String(repeating: " ", count: LadderLayout.flagsWidth - flags.count)
    text += padded(sequenceText(segment, step.side, life), name: "seq")
    if segment.flags.contains(.ack) {
      text += padded(acknowledgementText(segment, step.side, life), name: "ack")
    }
    return text
  }

  func sequenceText(_ segment: LifecycleSegment, _ side: Side, _ life: Lifecycle) -> String {
    number(segment.sequence, since: life.initialSequence(of: side))
  }

  func acknowledgementText(_ segment: LifecycleSegment, _ side: Side, _ life: Lifecycle) -> String {
    guard segment.flags.contains(.ack) else { return "" }
    return number(segment.acknowledgement, since: life.initialSequence(of: side.other))
  }

  private func number(_ number: UInt32?, since initial: UInt32?) -> String {
    guard let number else { return "?" }
    guard relative else { return "\(number)" }
    guard let initial else { return "?" }
    return "\(number &- initial)"
  }
}
