// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The middle of a ladder: what each end sent while ESTABLISHED, and the state of its congestion control.
extension LifecycleLadder {
  func appendTransfer(_ life: Lifecycle, _ layout: LadderLayout, to buffer: inout ByteBuffer) {
    let transfers = Side.allCases.compactMap { life[$0]?.transfer }
    let isOpen = Side.allCases.contains { life[$0]?.state == .established }
    guard isOpen || !transfers.isEmpty else { return }
    var text = " \(TCPState.established.name(.rfc))"
    if let stay = life.establishedStay {
      text += " for " + DurationText.string(stay.nanoseconds, kind: stay.kind, glyphs: style.glyphs)
    } else if isOpen {
      text += ", still open"
    }
    text += " "
    let length = layout.server + 12 - layout.client
    let rest = max(length - DisplayWidth.of(text) - 3, 3)
    var line = LadderLine(color: style.color)
    line.put(
      String(repeating: glyphs.dotted, count: 3) + text + String(repeating: glyphs.dotted, count: rest),
      at: layout.client, StateColor.of(.established))
    line.append(to: &buffer)
    guard !transfers.isEmpty else { return }
    appendTable(life, layout, to: &buffer)
    line = LadderLine(color: style.color)
    line.put(String(repeating: glyphs.dotted, count: length), at: layout.client, StateColor.of(.established))
    line.append(to: &buffer)
  }

  /// Appends one line per end, with as many columns as fit.
  private func appendTable(_ life: Lifecycle, _ layout: LadderLayout, to buffer: inout ByteBuffer) {
    var fields = TransferField.allCases.filter { field in
      Side.allCases.contains { !text(field, life, $0).isEmpty }
    }
    while true {
      var table = TextTable([("", .left)] + fields.map { ($0.heading.description, $0 == .control ? .left : .right) })
      for side in Side.allCases {
        let unknown = style.glyphs.unknown.description
        let cells = fields.map { field in
          let text = text(field, life, side)
          return text.isEmpty ? (life[side] == nil ? "" : unknown) : text
        }
        table.add([side.name.description] + cells)
      }
      var rendered = ByteBuffer(capacity: 1024)
      table.append(to: &rendered)
      let lines = rendered.text.split(separator: "\n")
      let widest = lines.map { DisplayWidth.of(String($0)) }.max() ?? 0
      if widest > layout.width, fields.count > 2 {
        let least = fields.max { $0.rank < $1.rank }
        fields.removeAll { $0 == least }
        continue
      }
      let indent = max(min(layout.client, layout.width - widest), 0)
      for (index, row) in lines.enumerated() {
        var line = LadderLine(color: style.color)
        line.put(String(row), at: indent, index == 0 ? Self.faint : nil)
        line.append(to: &buffer)
      }
      return
    }
  }

  private func text(_ field: TransferField, _ life: Lifecycle, _ side: Side) -> String {
    if field == .sent { return life.bytesSent(by: side).map { ByteCountText.string($0) } ?? "" }
    guard let row = life[side]?.transfer else { return "" }
    func duration(_ micros: UInt64) -> String {
      DurationText.string(micros.saturatingMultiplied(by: 1_000), glyphs: style.glyphs)
    }
    func number(_ number: UInt32?) -> String { number.map { NumberText.string(UInt64($0)) } ?? "" }
    switch field {
    case .sent: return ""
    case .retransmits: return number(row.retransmits)
    case .rtt: return row.rttMicroseconds.map { duration(UInt64($0)) } ?? ""
    case .rto: return row.rtoMicroseconds.map { duration($0) } ?? ""
    case .congestionWindow: return number(row.congestionWindowPackets)
    case .threshold: return number(row.slowStartThresholdPackets)
    case .sendWindow: return number(row.sendWindowBytes)
    case .receiveWindow: return number(row.receiveWindowBytes)
    case .control: return row.congestionControl.isEmpty ? "" : NameText.visibleString(row.congestionControl)
    }
  }

  // MARK: - Footer

  /// Appends the stays where they have no column, and the legend of implied steps.
  func appendFooter(_ life: Lifecycle, _ layout: LadderLayout, to buffer: inout ByteBuffer) {
    if !layout.showsStays {
      for side in Side.allCases {
        guard let end = life[side] else { continue }
        let stays = end.moments.compactMap { moment in
          moment.stay.map {
            "\(moment.old.name(.rfc)) \(DurationText.string($0.nanoseconds, kind: $0.kind, glyphs: style.glyphs))"
          }
        }
        for (index, row) in wrap(stays, layout.width - 8).enumerated() {
          var line = LadderLine(color: style.color)
          if index == 0 { line.put(side.name.description, at: 0, Self.faint) }
          line.put(row, at: 8, Self.faint)
          line.append(to: &buffer)
        }
      }
    }
    guard !life.isJoined, life.steps.contains(where: { $0.basis == .implied }) else { return }
    let unseen: Side = life.client == nil ? .client : .server
    var line = LadderLine(color: style.color)
    line.put(
      "(\(glyphs.ellipsis)) implied by what the \(unseen.other.name) saw; the \(unseen.name) was not seen on this host",
      at: 0, Self.faint)
    line.append(to: &buffer)
  }
}

/// A column of the ladder's table of transfers.
private enum TransferField: Int, CaseIterable {
  case sent, retransmits, rtt, rto, congestionWindow, threshold, sendWindow, receiveWindow, control

  var heading: StaticString {
    switch self {
    case .sent: "SENT"
    case .retransmits: "RETRANS"
    case .rtt: "RTT"
    case .rto: "RTO"
    case .congestionWindow: "CWND"
    case .threshold: "SSTHRESH"
    case .sendWindow: "SND.WND"
    case .receiveWindow: "RCV.WND"
    case .control: "CONTROL"
    }
  }

  /// On a narrow terminal the column with the highest rank is dropped first.
  var rank: Int {
    switch self {
    case .sent: 0
    case .rtt: 1
    case .retransmits: 2
    case .congestionWindow: 3
    case .rto: 4
    case .control: 5
    case .sendWindow: 6
    case .threshold: 7
    case .receiveWindow: 8
    }
  }
}
