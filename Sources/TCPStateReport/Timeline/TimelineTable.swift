// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The live timeline: one line per transition, in columns whose widths follow from the terminal's.
///
/// On a terminal no line is wider than it: IPv6 addresses lose groups in their middle and process names their end, both with
/// an ellipsis. Another cell that is too wide takes the padding of its neighbours in its own line. Anywhere else nothing is
/// cut, and such a cell moves the rest of its line.
public struct TimelineTable: ~Copyable {
  public private(set) var style: TableStyle

  private var layout: TimelineLayout
  private var clock: ClockText
  /// The cells of a line, one after the other: their widths have to be known before their positions.
  private var cells = ByteBuffer(capacity: 1024)
  /// Where each cell ends in `cells`.
  private var ends: [Int] = []
  /// How many columns of a terminal each takes.
  private var taken: [Int] = []
  /// Spaces before each.
  private var paddings: [Int] = []
  private var headerIsDue = false

  public init(style: TableStyle) {
    self.style = style
    layout = TimelineLayout(terminal: style.width)
    clock = ClockText(utc: style.utc)
  }

  /// Adopts a new terminal width; the header is repeated if that moves the columns.
  public mutating func resize(width: Int?) {
    style.width = width
    let before = layout
    layout = TimelineLayout(terminal: width)
    if layout != before { headerIsDue = true }
  }

  /// Appends the header line.
  public mutating func appendHeader(to buffer: inout ByteBuffer) {
    headerIsDue = false
    clear()
    for column in layout.columns {
      cells.append(column.heading)
      end(column.heading.utf8CodeUnitCount)
    }
    align()
    if style.color { buffer.append(StateColor.heading) }
    write(to: &buffer)
    if style.color { buffer.append(StateColor.reset) }
    buffer.append(UInt8(ascii: "\n"))
  }

  /// Appends the line of one transition.
  public mutating func append(_ row: Transition, to buffer: inout ByteBuffer) {
    if headerIsDue { appendHeader(to: &buffer) }
    compose(row)
    // Seldom: all cells are as wide as they get, and more.
    if let terminal = style.width, position > terminal { compose(row, ownerLess: position - terminal) }
    write(to: &buffer)
    buffer.append(UInt8(ascii: "\n"))
  }

  // MARK: - One line

  /// - Parameter ownerLess: by how many columns the owner's cell is to be narrower.
  private mutating func compose(_ row: Transition, ownerLess less: Int = 0) {
    clear()
    for (column, width) in zip(layout.columns, layout.widths) {
      let limit = style.width != nil && column.canBeShortened ? width - (column == .owner ? less : 0) : .max
      end(write(column, of: row, atMost: limit))
    }
    let columnsEnd = align()
    let why = WhyText(row)
    if let terminal = style.width {
      fit(why, row, columnsEnd, to: terminal, mayCut: less > 0)
    } else {
      appendWhy(why, row, padding: whyPadding(columnsEnd), form: .whole)
    }
  }

  private mutating func clear() {
    cells.removeAll()
    ends.removeAll(keepingCapacity: true)
    taken.removeAll(keepingCapacity: true)
    paddings.removeAll(keepingCapacity: true)
  }

  /// Ends a cell whose text was appended to `cells`.
  private mutating func end(_ width: Int) {
    ends.append(cells.count)
    taken.append(width)
  }

  /// Where the text of the line ends so far.
  private var position: Int { zip(paddings, taken).reduce(0) { $0 + $1.0 + $1.1 } }

  /// Finds the paddings that put each cell at its column. A cell that overflows uses up the padding of the next.
  ///
  /// - Returns: where the last column ends.
  @discardableResult
  private mutating func align() -> Int {
    var position = 0
    var end = 0
    for (index, column) in layout.columns.enumerated() {
      let start = index == 0 ? 0 : end + column.gap
      end = start + layout.widths[index]
      let wanted = column.alignsRight ? end - taken[index] : start
      paddings.append(max(wanted - position, index == 0 ? 0 : 1))
      position += paddings[index] + taken[index]
    }
    return end
  }

  private mutating func write(to buffer: inout ByteBuffer) {
    var start = 0
    for index in ends.indices {
      buffer.append(spaces: paddings[index])
      buffer.append(cells, start..<ends[index])
      start = ends[index]
    }
  }

  private func whyPadding(_ columnsEnd: Int) -> Int {
    // In the compact layout the state is the last column, so no padding follows it.
    layout.isCompact ? 1 : max(columnsEnd - position, 0) + TimelineColumn.stayed.gap
  }

  /// Appends the `why` in the longest form for which there is room, at the cost of paddings if need be. What the new state
  /// implies is left out where there is none.
  private mutating func fit(_ why: WhyText, _ row: Transition, _ columnsEnd: Int, to terminal: Int, mayCut: Bool) {
    let padding = whyPadding(columnsEnd)
    let room = terminal - (position - spare) - 1
    let forms: [WhyText.Form] = why.isImplied && !why.namesActor ? [.whole] : [.whole, .withoutDetail, .causeOnly]
    for form in forms {
      let before = cells.count
      let width = appendWhy(why, row, padding: padding, form: form, atMost: mayCut && form == .causeOnly ? room : .max)
      guard width > 0, position > terminal else { return squeeze(to: terminal) }
      let canBeSqueezed = spare >= position - terminal
      // The last form stays, whatever it takes.
      if form == .causeOnly || form == .withoutDetail && canBeSqueezed { return squeeze(to: terminal) }
      cells.removeLast(cells.count - before)
      ends.removeLast()
      taken.removeLast()
      paddings.removeLast()
    }
    squeeze(to: terminal)
  }

  @discardableResult
  private mutating func appendWhy(
    _ why: WhyText, _ row: Transition, padding: Int, form: WhyText.Form, atMost room: Int = .max
  ) -> Int {
    let colors = style.color && why.isAlarm
    let before = cells.count
    if colors { cells.append(StateColor.alarm) }
    let start = cells.count
    var width = why.append(row, style: style, form: form, to: &cells)
    if width > room {
      cells.removeLast(cells.count - start)
      let text = FittedText.cut(why.cause.description, to: max(1, room), style.glyphs)
      cells.append(text)
      width = DisplayWidth.of(text)
    }
    guard width > 0 else {
      cells.removeLast(cells.count - before)
      return 0
    }
    if colors { cells.append(StateColor.reset) }
    end(width)
    paddings.append(padding)
    return width
  }

  /// How much padding the line could give up.
  private var spare: Int { paddings.dropFirst().reduce(0) { $0 + $1 - 1 } }

  /// Takes padding, the last columns' first, until the line fits.
  private mutating func squeeze(to terminal: Int) {
    var excess = position - terminal
    for index in paddings.indices.dropFirst().reversed() where excess > 0 {
      let less = min(excess, paddings[index] - 1)
      paddings[index] -= less
      excess -= less
    }
  }
}

// MARK: Cells

extension TimelineTable {
  /// Appends a column's text to `cells` and returns its width.
  private mutating func write(_ column: TimelineColumn, of row: Transition, atMost limit: Int) -> Int {
    let before = cells.count
    switch column {
    case .time:
      guard row.hasTime else { return writeUnknown() }
      clock.append(row.time, precision: layout.precision, to: &cells)
      return cells.count - before
    case .role:
      if row.role == .unknown { return writeUnknown() }
      cells.append(row.role.name)
      return cells.count - before
    case .owner:
      return OwnerText.append(
        name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind, fitting: limit, glyphs: style.glyphs,
        to: &cells)
    case .local: return EndpointText.append(row.local, fitting: limit, glyphs: style.glyphs, to: &cells)
    case .localPort: return EndpointText.append(portOf: row.local, glyphs: style.glyphs, to: &cells)
    case .peer: return EndpointText.append(row.peer, fitting: limit, glyphs: style.glyphs, to: &cells)
    case .transition:
      let width = StateText.append(row.old, color: false, to: &cells)
      cells.append(UInt8(ascii: " "))
      return width + 1 + writeArrow(to: row.new)
    case .state:
      // Where space is tight, the reason replaces CLOSED: `→ refused`.
      guard row.new == .closed, WhyText(row).isAlarm else { return writeArrow(to: row.new) }
      cells.append(style.glyphs.arrow)
      return style.glyphs.arrowWidth
    case .stayed:
      guard let stay = row.stay else { return writeUnknown() }
      let color = style.color ? StateColor.of(row.old, lasting: stay.nanoseconds) : nil
      if let color { cells.append(color) }
      defer { if color != nil { cells.append(StateColor.reset) } }
      return DurationText.append(stay.nanoseconds, kind: stay.kind, glyphs: style.glyphs, to: &cells)
    case .rtt:
      guard let rtt = row.rttMicroseconds else { return writeUnknown() }
      return DurationText.append(UInt64(rtt) * 1_000, glyphs: style.glyphs, to: &cells)
    case .sent: return write(bytes: row.bytesSent)
    case .received: return write(bytes: row.bytesReceived)
    case .retransmits: return write(number: row.retransmits)
    case .container:
      let short = row.workload.isContainer ? WorkloadText.short(row.workload, width: 16, glyphs: style.glyphs) : nil
      guard let short else { return writeUnknown() }
      cells.append(short)
      return DisplayWidth.of(short)
    case .netns: return write(id: row.netns)
    }
  }

  private mutating func writeUnknown() -> Int {
    cells.append(style.glyphs.unknown)
    return 1
  }

  private mutating func writeArrow(to state: TCPState) -> Int {
    cells.append(style.glyphs.arrow)
    cells.append(UInt8(ascii: " "))
    return style.glyphs.arrowWidth + 1 + StateText.append(state, color: style.color, to: &cells)
  }

  private mutating func write(bytes: UInt64?) -> Int {
    guard let bytes else { return writeUnknown() }
    return ByteCountText.append(bytes, to: &cells)
  }

  private mutating func write(number: UInt32?) -> Int {
    guard let number else { return writeUnknown() }
    return NumberText.append(UInt64(number), to: &cells)
  }

  private mutating func write(id: UInt32?) -> Int {
    guard let id else { return writeUnknown() }
    let before = cells.count
    cells.append(decimal: UInt64(id))
    return cells.count - before
  }
}
