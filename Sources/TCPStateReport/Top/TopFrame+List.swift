// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The list's lines: connections, or groups.
extension TopFrame {
  var listLines: [String] {
    let (first, selected) = window
    let titles = layout.slots.map { slot in
      let mark = slot.column.order == view.order ? sortMark : ""
      return text.fit(slot.column.look.title + mark, slot.width, right: slot.column.look.right)
    }
    return [text.heading(" " + titles.joined(separator: " "))]
      + (first..<min(first + page, max(first, list.count))).map { index -> String in
        let isSelected = index == selected
        switch list.content(index) {
        case .row(let row): return line(row, isSelected: isSelected)
        case .fold: return fold(isSelected: isSelected)
        case .group: return ""  // these are listed by `groupLines`
        }
      }
  }

  private var sortMark: String { text.isASCII ? (view.isReversed ? "^" : "v") : view.isReversed ? "▲" : "▼" }

  /// The line that stands for all in TIME-WAIT.
  private func fold(isSelected: Bool) -> String {
    let count = NumberText.string(UInt64(list.foldedCount))
    let age = list.oldestFolded.map { ", oldest \(text.age($0))" } ?? ""
    let line = text.fit("\(list.isOpen ? "-" : "+") TIME-WAIT \(count)\(age)", width - 1)
    return text.listed(isSelected ? line : text.paint(line, .timeWait), isSelected: isSelected)
  }

  private func line(_ row: TopRow, isSelected: Bool) -> String {
    let cells = layout.slots.map { slot -> String in
      switch slot.column {
      case .state:
        let name = text.fit(row.state.name(.rfc), slot.width)
        return isSelected ? name : text.paint(name, row.state, row.rank)
      case .states: return lane(row, slot.width, color: text.style.color && !isSelected)
      default:
        return text.fit(cell(row, slot.column, slot.width), slot.width, right: slot.column.look.right)
      }
    }
    return text.listed(cells.joined(separator: " "), isSelected: isSelected)
  }

  /// A value as text that fits, if it can be shortened to that.
  private func cell(_ row: TopRow, _ column: TopColumn, _ width: Int) -> String {
    let glyphs = text.style.glyphs
    let reading = readings[row.connection]
    let counters = reading?.counters
    return switch column {
    case .age: text.age(row.stay)
    case .owner:
      OwnerText.string(name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind, glyphs: glyphs)
    case .container: WorkloadText.short(row.workload, width: width, glyphs: glyphs) ?? text.unknown
    case .local: width < column.look.most ? port(row.local) : EndpointText.string(row.local, glyphs: glyphs)
    case .peer: EndpointText.string(row.peer, glyphs: glyphs)
    case .sent: text.bytes(counters?.bytesSent ?? row.bytesSent, fitting: width)
    case .received: text.bytes(counters?.bytesReceived ?? row.bytesReceived, fitting: width)
    case .sending: text.rate(reading?.sendingRate)
    case .receiving: text.rate(reading?.receivingRate)
    case .rtt: text.rtt(counters?.rttMicroseconds ?? row.rttMicroseconds)
    case .retransmits: text.number(counters?.retransmits ?? row.retransmits)
    case .state, .states: ""
    }
  }

  private func port(_ end: Endpoint) -> String { end.port == 0 ? text.unknown : ":\(end.port)" }

  private func lane(_ row: TopRow, _ width: Int, color: Bool) -> String {
    var buffer = ByteBuffer(capacity: 256)
    let now = TopStay(state: row.state, nanoseconds: row.stay?.nanoseconds ?? 0)
    let theme = color ? text.theme : nil
    TopLane.append((pasts[row.connection] ?? []) + [now], width: width, theme: theme, to: &buffer)
    return buffer.text
  }

  /// CLOSE-WAIT has a column of its own, next to the name, so nothing can push it off the screen.
  var groupLines: [String] {
    let (first, selected) = window
    let fixed = 10 + 1 + 11 + 1 + 12 + 2
    let name = max(12, min(36, width - 1 - fixed - 1 - (width >= 72 ? 16 : 0)))
    let rest = max(0, width - 1 - name - 1 - fixed)
    func line(_ cells: [String]) -> String {
      text.fit(cells[0], name) + " " + text.fit(cells[1], 10, right: true) + " " + text.fit(cells[2], 11, right: true)
        + " " + text.fit(cells[3], 12, right: true) + "  " + text.fit(cells[4], rest, pads: false)
    }
    let titles = [view.grouping.rawValue.uppercased(), "CLOSE-WAIT", "CONNECTIONS", "OLDEST", "STATES"]
    return [text.heading(" " + line(titles))]
      + (first..<min(first + page, max(first, list.groups.count))).map { index -> String in
        let group = list.groups[index]
        let states = TCPState.all.filter { $0 != .closed && $0 != .closeWait && group.states[Int($0.number)] > 0 }
          .map { "\($0.name(.rfc)) \(group.states[Int($0.number)])" }.joined(separator: ", ")
        let cells = [
          group.key.name(text.style.glyphs), group.closeWait == 0 ? "0" : NumberText.string(UInt64(group.closeWait)),
          NumberText.string(UInt64(group.count)), text.age(group.oldest), states,
        ]
        return text.listed(line(cells), isSelected: index == selected)
      }
  }

  /// The line at this place with all that is known, for the clipboard; `nil` for none.
  public func plain(_ index: Int) -> String? {
    guard index >= 0, index < list.count else { return nil }
    switch list.content(index) {
    case .fold: return "TIME-WAIT \(list.foldedCount)"
    case .group(let group):
      let states = TCPState.all.filter { group.states[Int($0.number)] > 0 }
        .map { "\($0.name(.rfc)) \(group.states[Int($0.number)])" }
      return "\(group.key.name(.unicode))  \(group.count)  \(text.age(group.oldest))  \(states.joined(separator: ", "))"
    case .row(let row):
      let owner = OwnerText.string(name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind)
      let ends = "\(EndpointText.string(row.local))  \(EndpointText.string(row.peer))"
      let container = WorkloadText.full(row.workload).map { "  \($0)" } ?? ""
      return "\(text.age(row.stay))  \(row.state.name(.rfc))  \(owner)  \(ends)\(container)"
    }
  }
}
