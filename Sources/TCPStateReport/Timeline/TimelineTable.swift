// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The live timeline: one line per transition, in columns that fit the terminal.
///
/// Nothing is ever cut. A cell wider than its column widens the column from then on,
/// if need be at the cost of optional columns; then the header is repeated.
/// A line that is wider than the terminal gives up padding, the last columns' first, until it fits.
public struct TimelineTable: ~Copyable {
  public private(set) var style: TableStyle

  private var layout: TimelineLayout
  private var clock: ClockText
  /// One cell: its width has to be known before its position.
  private var cell = ByteBuffer(capacity: 512)
  private var headerIsDue = false
  /// Spaces before each cell of a squeezed line.
  private var paddings: [Int] = []

  public init(style: TableStyle) {
    self.style = style
    layout = TimelineLayout(terminal: style.width)
    clock = ClockText(utc: style.utc)
  }

  /// Adopts a new terminal width; the header is repeated if the columns change.
  public mutating func resize(width: Int?) {
    style.width = width
    if layout.resize(terminal: width) { headerIsDue = true }
  }

  /// Appends the header line.
  public mutating func appendHeader(to buffer: inout ByteBuffer) {
    headerIsDue = false
    if style.color { buffer.append(StateColor.heading) }
    var position = 0
    var end = 0
    for column in layout.columns {
      cell.removeAll()
      cell.append(column.heading)
      place(column, width: cell.count, position: &position, end: &end, in: &buffer)
    }
    if style.color { buffer.append(StateColor.reset) }
    buffer.append(UInt8(ascii: "\n"))
  }

  /// Appends the line of one transition.
  public mutating func append(_ row: Transition, to buffer: inout ByteBuffer) {
    fit(row)
    if headerIsDue { appendHeader(to: &buffer) }
    let why = WhyText(row)
    if style.width != nil, squeeze(row, why) {
      appendSqueezed(row, why, to: &buffer)
    } else {
      appendAligned(row, why, to: &buffer)
    }
    buffer.append(UInt8(ascii: "\n"))
  }

  private mutating func appendAligned(_ row: Transition, _ why: WhyText, to buffer: inout ByteBuffer) {
    var position = 0
    var end = 0
    for column in layout.columns {
      cell.removeAll()
      let width = write(column, of: row)
      place(column, width: width, position: &position, end: &end, in: &buffer)
    }
    append(why, row, position: position, end: end, to: &buffer)
  }

  /// Finds the `paddings` that make a line fit the terminal that doesn't fit by itself.
  ///
  /// - Returns: whether the line has to be squeezed and can be.
  private mutating func squeeze(_ row: Transition, _ why: WhyText) -> Bool {
    paddings.removeAll(keepingCapacity: true)
    var position = 0
    var end = 0
    for column in layout.columns {
      cell.removeAll()
      let width = write(column, of: row)
      paddings.append(padding(column, width: width, position: position, end: &end))
      position += paddings[paddings.count - 1] + width
    }
    cell.removeAll()
    let width = why.isImplied && !why.namesActor ? 0 : why.append(row, style: style, withDetail: false, to: &cell)
    if width > 0 { position += whyPadding(position: position, end: end) + width }
    guard var excess = style.width.map({ position - $0 }), excess > 0 else { return false }
    for index in paddings.indices.dropFirst().reversed() {
      let less = min(excess, paddings[index] - 1)
      paddings[index] -= less
      excess -= less
    }
    return excess == 0
  }

  /// Appends a line with the paddings that `squeeze` found.
  private mutating func appendSqueezed(_ row: Transition, _ why: WhyText, to buffer: inout ByteBuffer) {
    var position = 0
    for (index, column) in layout.columns.enumerated() {
      cell.removeAll()
      let width = write(column, of: row)
      buffer.append(spaces: paddings[index])
      buffer.append(cell)
      position += paddings[index] + width
    }
    append(why, row, position: position, end: position, to: &buffer)
  }

  /// Widens the columns for this row, before any of it is written.
  private mutating func fit(_ row: Transition) {
    if row.workload.isContainer, layout.addContainers() { headerIsDue = true }
    var index = 0
    while index < layout.columns.count {
      let column = layout.columns[index]
      cell.removeAll()
      let width = write(column, of: row)
      if width > layout.width(of: column), column != .role, layout.widen(column, to: width) {
        headerIsDue = true
        index = -1  // the set of columns has changed
      }
      index += 1
    }
  }

  /// Appends the cell at its column. `end` is where the last column ends: a cell
  /// that overflows its column uses up the next one's padding.
  private mutating func place(
    _ column: TimelineColumn, width: Int, position: inout Int, end: inout Int,
    in buffer: inout ByteBuffer
  ) {
    let padding = padding(column, width: width, position: position, end: &end)
    buffer.append(spaces: padding)
    buffer.append(cell)
    position += padding + width
  }

  private func padding(_ column: TimelineColumn, width: Int, position: Int, end: inout Int) -> Int {
    let start = end == 0 ? 0 : end + (column == .state ? 1 : TimelineLayout.gap)
    end = start + layout.width(of: column)
    let wanted = column.alignsRight ? end - width : start
    return max(wanted - position, position == 0 ? 0 : 1)
  }

  private func whyPadding(position: Int, end: Int) -> Int {
    // In the compact layout the state is the last column, so no padding follows it.
    layout.isCompact ? 1 : max(end + TimelineLayout.gap - position, TimelineLayout.gap)
  }

  /// Appends the `why`. What the new state implies, and details, are left out where they don't fit.
  private mutating func append(
    _ why: WhyText, _ row: Transition, position: Int, end: Int, to buffer: inout ByteBuffer
  ) {
    cell.removeAll()
    let width = why.append(row, style: style, to: &cell)
    guard width > 0 else { return }
    let padding = whyPadding(position: position, end: end)
    if let terminal = style.width, position + padding + width > terminal {
      if why.isImplied, !why.namesActor { return }
      cell.removeAll()
      _ = why.append(row, style: style, withDetail: false, to: &cell)
    }
    buffer.append(spaces: padding)
    if style.color, why.isAlarm { buffer.append(StateColor.alarm) }
    buffer.append(cell)
    if style.color, why.isAlarm { buffer.append(StateColor.reset) }
  }
}

// MARK: Cells

extension TimelineTable {
  /// Writes a column's text to `cell` and returns its width.
  private mutating func write(_ column: TimelineColumn, of row: Transition) -> Int {
    switch column {
    case .time:
      guard row.hasTime else { return writeUnknown() }
      clock.append(row.time, precision: layout.precision, to: &cell)
      return cell.count
    case .role:
      if row.role == .unknown { return writeUnknown() }
      cell.append(row.role.name)
      return cell.count
    case .owner:
      return OwnerText.append(
        name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind, glyphs: style.glyphs, to: &cell)
    case .workload:
      let short = row.workload.isContainer ? WorkloadText.short(row.workload, glyphs: style.glyphs) : nil
      guard let short else { return writeUnknown() }
      cell.append(short)
      return DisplayWidth.of(short)
    case .local: return EndpointText.append(row.local, glyphs: style.glyphs, to: &cell)
    case .localPort: return EndpointText.append(portOf: row.local, glyphs: style.glyphs, to: &cell)
    case .peer: return EndpointText.append(row.peer, glyphs: style.glyphs, to: &cell)
    case .transition:
      let width = StateText.append(row.old, color: false, to: &cell)
      cell.append(UInt8(ascii: " "))
      return width + 1 + writeArrow(to: row.new)
    case .state:
      // Where space is tight, the reason replaces CLOSED: `→ refused`.
      guard row.new == .closed, WhyText(row).isAlarm else { return writeArrow(to: row.new) }
      cell.append(style.glyphs.arrow)
      return style.glyphs.arrowWidth
    case .stayed:
      guard let stay = row.stay else { return writeUnknown() }
      return DurationText.append(stay.nanoseconds, kind: stay.kind, glyphs: style.glyphs, to: &cell)
    case .rtt:
      guard let rtt = row.rttMicroseconds else { return writeUnknown() }
      return DurationText.append(UInt64(rtt) * 1_000, glyphs: style.glyphs, to: &cell)
    case .sent: return write(bytes: row.bytesSent)
    case .received: return write(bytes: row.bytesReceived)
    case .retransmits: return write(number: row.retransmits)
    case .netns: return write(id: row.netns)
    }
  }

  private mutating func writeUnknown() -> Int {
    cell.append(style.glyphs.unknown)
    return 1
  }

  private mutating func writeArrow(to state: TCPState) -> Int {
    cell.append(style.glyphs.arrow)
    cell.append(UInt8(ascii: " "))
    return style.glyphs.arrowWidth + 1 + StateText.append(state, color: style.color, to: &cell)
  }

  private mutating func write(bytes: UInt64?) -> Int {
    guard let bytes else { return writeUnknown() }
    return ByteCountText.append(bytes, to: &cell)
  }

  private mutating func write(number: UInt32?) -> Int {
    guard let number else { return writeUnknown() }
    return NumberText.append(UInt64(number), to: &cell)
  }

  private mutating func write(id: UInt32?) -> Int {
    guard let id else { return writeUnknown() }
    cell.append(decimal: UInt64(id))
    return cell.count
  }
}
