// SPDX-License-Identifier: Apache-2.0

/// The orderly close, RFC 9293, section 3.6.
extension LifecycleStepBuilder {
  mutating func addClose(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    switch moment.new {
    case .finWait1: addFirstFin(end, index, side)
    case .closeWait: addFinReceived(end, index, side)
    case .finWait2: addFinAcknowledged(end, index, side)
    case .lastAck: addSecondFin(end, index, side)
    case .closing: addClosing(end, index, side)
    case .timeWait: addTimeWait(end, index, side)
    default: addClosed(end, index, side)
    }
  }

  /// 1 and 2: the application closes, and the FIN is sent.
  private mutating func addFirstFin(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    var act = observed(.close, 1, end, index, side)
    act.act = Self.finCall(end, moment)
    guard !isDelayed(side, moment) else {
      add(act, at: moment.time, rank: 110)
      return addDelayedFin(2, end, index, side)
    }
    act.state = nil
    act.stay = nil
    add(act, at: moment.time, rank: 110)
    var step = observed(.close, 2, end, index, side)
    step.segment = fin(side, moment)
    add(step, at: moment.time, rank: 120)
  }

  /// Which call sent the FIN.
  ///
  /// close() and shutdown(SHUT_RDWR) shut the receive direction down before, and only later rows show which it was. In
  /// recordings without the columns it is inferred from payload that came afterwards.
  private static func finCall(_ end: LifecycleEnd, _ moment: LifecycleEnd.Moment) -> LifecycleStep.Act {
    switch (end.facts.finCall, moment.receiveShutdown) {
    case (.close, _): return .close
    case (.shutdown, _): return .shutdown
    case (nil, 0) where moment.old != .closeWait: return .shutdown
    case (nil, .some): return .closeOrShutdown
    case (nil, nil): return moment.new == .finWait1 && end.wentOnReceiving ? .shutdown : .close
    }
  }

  /// 3: the FIN arrives and is acknowledged.
  private mutating func addFinReceived(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    impliedFirstFin(side.other, before: moment, acknowledged: moment.sendUnacknowledged)
    let isAlone = !sequences.isCombined(closer: side.other) && !sequences.isUnacknowledged(closer: side.other)
    var step = observed(.close, 3, end, index, side)
    step.act = .endOfFile
    if isAlone { step.segment = acknowledgement(of: side.other, by: side, sequence: moment.sendNext) }
    add(step, at: moment.time, rank: 130)
    if isAlone { imply(.implied(.close, 4, of: side.other, entering: .finWait2), at: moment.time, rank: 140) }
  }

  /// 4: the acknowledgement arrives.
  private mutating func addFinAcknowledged(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    let combined = sequences.isCombined(closer: side)
    let segment = acknowledgement(of: side, by: side.other, sequence: moment.receiveNext)
    imply(
      .implied(
        .close, 3, of: side.other, entering: .closeWait, sending: combined ? nil : segment, act: .endOfFile),
      at: moment.time, rank: 130)
    add(observed(.close, 4, end, index, side), at: moment.time, rank: combined ? 155 : 140)
  }

  /// 5: the other application closes as well.
  private mutating func addSecondFin(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    var step = observed(.close, 5, end, index, side)
    step.act = Self.finCall(end, moment)
    guard !isDelayed(side, moment) else {
      add(step, at: moment.time, rank: 149)
      return addDelayedFin(5, end, index, side)
    }
    step.segment = fin(side, moment)
    add(step, at: moment.time, rank: 150)
  }

  /// Whether the FIN waits behind payload that hadn't been sent when the application closed. Its state changes at once.
  private func isDelayed(_ side: Side, _ moment: LifecycleEnd.Moment) -> Bool {
    if let unsent = moment.unsentBytes { return unsent > 0 }
    guard let next = moment.sendNext, let fin = sequences.fin(side) else { return false }
    return fin != next
  }

  /// The FIN that went out later: before what shows that it arrived. Without that it may never have left.
  private mutating func addDelayedFin(_ number: UInt8, _ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    guard let arrived = finArrived(side, after: moment.time) else { return }
    var step = LifecycleStep(.close, number, side, .found)
    step.segment = fin(side, moment)
    step.time = arrived
    step.timeKind = arrived > moment.time ? .atMost : .exact
    step.timeError = arrived > moment.time ? arrived - moment.time : nil
    add(step, at: arrived, rank: number == 2 ? 120 : 150)
  }

  /// When the FIN of `side` is first known to have arrived, or to be acknowledged; `nil` if it isn't.
  private func finArrived(_ side: Side, after time: UInt64) -> UInt64? {
    let own = life[side]
    let peer = life[side.other]
    let moments = [
      peer?.moment(entering: .closeWait), peer?.moment(entering: .closing),
      peer?.moment(from: .finWait2, to: .timeWait),
      peer?.moment(from: .finWait1, to: .timeWait), own?.moment(entering: .finWait2),
      own?.moment(from: .closing, to: .timeWait), own?.moment(from: .finWait1, to: .timeWait),
      own?.moment(from: .lastAck, to: .closed).flatMap { $0.reason == .fin ? $0 : nil },
    ]
    // A time that is only a lower bound may be before the FIN.
    let known = moments.compactMap { $0 }.filter { ($0.timeKind ?? .exact) != .atLeast && $0.time >= time }
    if let first = known.map(\.time).min() { return first }
    return moments.compactMap { $0 }.map { $0.time.saturatingAdding($0.timeError ?? 0) }.filter { $0 >= time }.min()
  }

  /// 3 of a simultaneous close: the FINs crossed.
  private mutating func addClosing(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    impliedFirstFin(side.other, before: moment, acknowledged: nil)
    var step = observed(.close, 3, end, index, side)
    step.segment = acknowledgement(of: side.other, by: side, sequence: moment.sendNext)
    add(step, at: moment.time, rank: 130)
  }

  /// 6: both FINs have been exchanged, and this end waits.
  private mutating func addTimeWait(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    let crossed = moment.old == .closing
    if crossed {
      let segment = acknowledgement(of: side, by: side.other, sequence: moment.receiveNext)
      imply(
        .implied(.close, 3, of: side.other, entering: .closing, sending: segment), at: moment.time, rank: 130)
    } else {
      impliedSecondFin(side.other, before: moment, isCombined: sequences.isCombined(closer: side), end)
    }
    var step = observed(.close, crossed ? 4 : 6, end, index, side)
    if !crossed, let fin = sequences.fin(side.other) {
      step.segment = LifecycleSegment(.ack, sequence: moment.sendNext, acknowledgement: fin &+ 1)
    } else if !crossed {
      step.segment = LifecycleSegment(.ack, sequence: moment.sendNext)
    }
    if moment.source == .derived { bound(&step, by: side.other) }
    add(step, at: step.time ?? moment.time, rank: 160)
    if crossed {
      imply(.implied(.close, 4, of: side.other, entering: .timeWait), at: moment.time, rank: 161)
    } else {
      imply(.implied(.close, 7, of: side.other, entering: .closed), at: moment.time, rank: 170)
    }
    if index == end.moments.count - 1 { addExpectedEnd(side, after: moment.time) }
  }

  /// Limits a minisock's time, which is a bound, to the other end's steps, which are known exactly: TIME-WAIT began
  /// between that end's LAST-ACK and CLOSED.
  private func bound(_ step: inout LifecycleStep, by other: Side) {
    limit(
      &step, from: life[other]?.moment(entering: .lastAck)?.time,
      to: life[other]?.moment(from: .lastAck, to: .closed)?.time)
  }

  /// Limits a step's time to what the other end's exact steps show: later than its cause, earlier than its effect.
  func limit(_ step: inout LifecycleStep, from cause: UInt64?, to effect: UInt64?) {
    guard let known = step.time else { return }
    let cause = cause ?? 0
    let effect = effect ?? .max
    guard let error = step.timeError else {
      step.time = min(max(known, cause), effect)
      return
    }
    let earliest = max(step.timeKind == .atMost ? known - min(error, known) : known, cause)
    let latest = min(step.timeKind == .atLeast ? known.saturatingAdding(error) : known, effect)
    step.time = min(earliest, latest)
    step.timeKind = earliest < latest ? .atLeast : .exact
    step.timeError = earliest < latest ? latest - earliest : nil
  }

  /// 8, expected after TCP_TIMEWAIT_LEN, include/net/tcp.h.
  private mutating func addExpectedEnd(_ side: Side, after time: UInt64) {
    var step = LifecycleStep(.close, 8, side, .expected)
    step.state = .closed
    step.time = time + ConnectionTracker.timeWaitSeconds * 1_000_000_000
    add(step, at: step.time ?? time, rank: 180)
  }

  /// 7 and 8: the end of LAST-ACK and of TIME-WAIT.
  private mutating func addClosed(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    guard moment.old == .timeWait || moment.reason == .fin || moment.reason == nil else {
      return addEnding(end, index, side)
    }
    if moment.old == .lastAck, let fin = sequences.fin(side) {
      let segment = LifecycleSegment(.ack, sequence: moment.receiveNext, acknowledgement: fin &+ 1)
      if sequences.isCombined(closer: side.other) {
        imply(.implied(.close, 4, of: side.other, entering: .finWait2), at: moment.time, rank: 155)
      }
      imply(
        .implied(.close, 6, of: side.other, entering: .timeWait, sending: segment), at: moment.time, rank: 160)
    }
    var step = observed(.close, moment.old == .timeWait ? 8 : 7, end, index, side)
    if moment.reason != .fin { step.reason = moment.reason }
    add(step, at: moment.time, rank: 170)
  }

  // MARK: - Segments

  /// The FIN that an end sends as it enters FIN-WAIT-1 or LAST-ACK.
  private func fin(_ side: Side, _ moment: LifecycleEnd.Moment) -> LifecycleSegment {
    let sequence = sequences.fin(side)
    // Unless data is queued before it, it is sent at once and acknowledges what has arrived by then.
    let atOnce = sequence != nil && sequence == moment.sendNext
    return LifecycleSegment(
      [.fin, .ack], sequence: sequence, acknowledgement: atOnce ? moment.receiveNext : nil)
  }

  private func acknowledgement(of closer: Side, by side: Side, sequence: UInt32?) -> LifecycleSegment {
    LifecycleSegment(
      .ack, sequence: sequence, acknowledgement: sequences.fin(closer).map { $0 &+ 1 })
  }

  private mutating func impliedFirstFin(_ side: Side, before moment: LifecycleEnd.Moment, acknowledged: UInt32?) {
    guard !life.isSelfConnected, life[side]?.moment(entering: .finWait1) == nil else { return }
    var act = LifecycleStep(.close, 1, side, .implied)
    act.act = .close
    add(act, at: moment.time, rank: 110)
    let segment = LifecycleSegment([.fin, .ack], sequence: sequences.fin(side), acknowledgement: acknowledged)
    imply(.implied(.close, 2, of: side, entering: .finWait1, sending: segment), at: moment.time, rank: 120)
  }

  private mutating func impliedSecondFin(
    _ side: Side, before moment: LifecycleEnd.Moment, isCombined: Bool, _ closer: LifecycleEnd
  ) {
    guard life[side]?.moment(entering: .lastAck) == nil else { return }
    let time = isCombined ? closer.moment(entering: .finWait2)?.time ?? moment.time : moment.time
    let segment = LifecycleSegment(
      [.fin, .ack], sequence: sequences.fin(side), acknowledgement: sequences.fin(side.other).map { $0 &+ 1 })
    imply(.implied(.close, 5, of: side, entering: .lastAck, sending: segment, act: .close), at: time, rank: 150)
  }
}

extension LifecycleEnd {
  /// Whether it only shut down its sending side. An end without a process goes from
  /// FIN-WAIT-2 to TIME-WAIT silently, as a minisock, unless one segment caused both.
  fileprivate var wentOnReceiving: Bool {
    guard let moment = moment(from: .finWait2, to: .timeWait), moment.source == .event,
      let before = self.moment(entering: .finWait2)
    else { return false }
    return before.segmentsReceived != nil && before.segmentsReceived != moment.segmentsReceived
  }
}
