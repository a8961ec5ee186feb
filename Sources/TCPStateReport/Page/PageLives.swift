// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Lives as the page's data: arrays, because tens of thousands of objects would repeat their keys each time.
/// `Page/assets/data.js` names the places.
struct PageLives: ~Copyable {
  /// The start of all times on the page, nanoseconds since the epoch.
  var base: UInt64 = 0
  /// Supplies the words of outcomes and steps.
  private let ladder = LifecycleLadder(style: TableStyle(width: nil, color: false, utc: true, glyphs: .unicode))

  // MARK: - Lanes

  /// Appends `[client, server]`, with null for an end that isn't on this host.
  func append(lanesOf life: Lifecycle, to buffer: inout ByteBuffer) {
    buffer.append("[")
    append(life.client, to: &buffer)
    buffer.append(",")
    append(life.server, to: &buffer)
    buffer.append("]")
  }

  private func append(_ end: LifecycleEnd?, to buffer: inout ByteBuffer) {
    guard let end else { return buffer.appendNull() }
    let facts = end.facts
    buffer.append("[\"")
    buffer.append(hex16: facts.connection)
    buffer.append("\",\(facts.role.rawValue),")
    buffer.append(json: facts.ownerPID)
    buffer.append(",")
    buffer.append(json: facts.ownerName)
    buffer.append(",")
    append(facts.local, to: &buffer)
    buffer.append(",")
    append(facts.peer, to: &buffer)
    buffer.append(",")
    buffer.append(json: facts.reason.map { UInt64($0.rawValue) })
    buffer.append(",")
    if let found = end.found {
      buffer.append("[\(found.state.number),")
      buffer.append(json: found.since, since: base)
      buffer.append("]")
    } else {
      buffer.appendNull()
    }
    buffer.append(",[")
    for (index, moment) in end.moments.enumerated() {
      if index > 0 { buffer.append(",") }
      append(moment, to: &buffer)
    }
    buffer.append("],")
    buffer.append(json: facts.bytesSent)
    buffer.append(",")
    buffer.append(json: facts.bytesReceived)
    buffer.append(",")
    buffer.append(json: facts.netns)
    buffer.append(",")
    buffer.append(json: facts.userID)
    buffer.append(",\(end.rowCount),")
    buffer.append(json: end.endReason.map { UInt64($0.rawValue) })
    let workload = WorkloadText.short(facts.workload, width: .max)
    if facts.ownerKind == .inherited || workload != nil { buffer.append(facts.ownerKind == .inherited ? ",1" : ",0") }
    if let workload {
      buffer.append(",")
      buffer.append(json: workload)
    }
    buffer.append("]")
  }

  /// Appends `address,port`, with null and 0 if unknown.
  private func append(_ endpoint: Endpoint, to buffer: inout ByteBuffer) {
    if endpoint.address.isUnspecified {
      buffer.appendNull()
    } else {
      buffer.append("\"")
      buffer.append(AddressText.string(endpoint.address))
      buffer.append("\"")
    }
    buffer.append(",")
    buffer.append(decimal: UInt64(endpoint.port))
  }

  /// Appends `time,old,new,stay,isAtLeast` as five elements of a flat array.
  private func append(_ moment: LifecycleEnd.Moment, to buffer: inout ByteBuffer) {
    buffer.append(json: moment.time, since: base)
    buffer.append(",\(moment.old.number),\(moment.new.number),")
    buffer.append(json: moment.stay?.nanoseconds)
    buffer.append(moment.stay?.kind == .atLeast ? ",1" : ",0")
  }

  // MARK: - Ladders

  /// Appends `[outcome, established, isAtLeast, client's end, server's end, steps]`.
  func append(stepsOf life: Lifecycle, to buffer: inout ByteBuffer) {
    buffer.append("[")
    buffer.append(json: ladder.outcome(life))
    buffer.append(",")
    let stay = life.establishedStay
    buffer.append(json: stay?.nanoseconds)
    buffer.append(stay?.kind == .atLeast ? ",1" : ",0")
    for side in Side.allCases {
      buffer.append(",")
      append(life, side, to: &buffer)
    }
    buffer.append(",[")
    var previous: LifecycleStep?
    for step in life.steps {
      if previous != nil { buffer.append(",") }
      append(step, after: previous, life, to: &buffer)
      previous = step
    }
    buffer.append("]]")
  }

  /// Appends `[initial state, ISS, bytes sent, retransmits, rtt, rto, cwnd, send window, receive window, control]`.
  private func append(_ life: Lifecycle, _ side: Side, to buffer: inout ByteBuffer) {
    let row = life[side]?.transfer ?? life[side]?.facts
    buffer.append("[")
    buffer.append(json: life.initialState(of: side).map { UInt64($0.number) })
    buffer.append(",")
    buffer.append(json: life.initialSequence(of: side))
    buffer.append(",")
    buffer.append(json: life.bytesSent(by: side))
    for number in [
      row?.retransmits, row?.rttMicroseconds, row?.rtoMicroseconds.map { UInt32(clamping: $0) },
      row?.congestionWindowPackets, row?.sendWindowBytes, row?.receiveWindowBytes,
    ] {
      buffer.append(",")
      buffer.append(json: number)
    }
    buffer.append(",")
    buffer.append(json: row?.congestionControl ?? ShortName())
    buffer.append("]")
  }

  /// Appends `[isClose, number, side, basis, time, bound, flags, sequence, acknowledgement, isUnanswered, state,
  /// remark]`.
  private func append(
    _ step: LifecycleStep, after previous: LifecycleStep?, _ life: Lifecycle, to buffer: inout ByteBuffer
  ) {
    buffer.append(step.phase == .close ? "[1," : "[0,")
    buffer.append(json: step.number.map { UInt64($0) })
    buffer.append(",\(step.side.rawValue),\(step.basis.rawValue),")
    if let time = step.time { buffer.append(json: time, since: base) } else { buffer.appendNull() }
    buffer.append(step.timeKind == .exact ? ",0," : step.timeKind == .atMost ? ",1," : ",2,")
    if let segment = step.segment {
      buffer.append(json: segment.flags.names.map(\.description).joined(separator: " "))
      buffer.append(",")
      buffer.append(json: segment.sequence)
      buffer.append(",")
      buffer.append(json: segment.flags.contains(.ack) ? segment.acknowledgement : nil)
      buffer.append(segment.isUnanswered ? ",1," : ",0,")
    } else {
      buffer.append("null,null,null,0,")
    }
    buffer.append(json: step.state.map { UInt64($0.number) })
    buffer.append(",")
    buffer.append(json: ladder.remark(step, after: previous, life))
    buffer.append("]")
  }
}
