// SPDX-License-Identifier: Apache-2.0

/// The endings that the textbook doesn't number: resets, timeouts, and what was missed.
extension LifecycleStepBuilder {
  mutating func addEnding(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    let phase: LifecycleStep.Phase = moment.old.isSynchronized || moment.new.isSynchronized ? .close : .handshake
    var step = observed(phase, nil, end, index, side)
    guard moment.new == .closed else {
      // Transitions in between were lost.
      return add(step, at: moment.time, rank: 190)
    }
    step.reason = moment.reason
    step.resetReason = moment.resetReason
    switch moment.reason {
    case .refused where moment.segmentsReceived == 0:
      break  // by an ICMP error, which doesn't count as a segment
    case .resetReceived, .refused:
      implyReset(by: side.other, phase, moment)
    case .aborted, .killed, .unaccepted, .resetSent:
      step.act = Self.act(moment.reason)
      if Self.resets(moment) { step.segment = reset(by: side, moment) }
    default: break
    }
    if moment.source != .event { placeAfterReset(&step, by: side.other) }
    add(step, at: step.time ?? moment.time, rank: moment.source == .event ? 190 : 195)
  }

  /// Places an end that was found afterwards behind the other end's RST, if that came while it was open: no
  /// connection outlives one, and the reading may have come long after it.
  private func placeAfterReset(_ step: inout LifecycleStep, by other: Side) {
    guard let time = step.time, step.timeKind == .atLeast,
      let reset = life[other]?.moments.last(where: { Self.sendsReset($0) }), reset.time >= time,
      reset.time - time <= step.timeError ?? 0
    else { return }
    step.time = reset.time
    step.timeError = step.timeError.map { $0 - (reset.time - time) }
  }

  private static func sendsReset(_ moment: LifecycleEnd.Moment) -> Bool {
    switch moment.reason {
    case .aborted, .killed, .unaccepted, .resetSent: resets(moment)
    default: false
    }
  }

  private static func act(_ reason: Reason?) -> LifecycleStep.Act? {
    switch reason {
    case .aborted: .abort
    case .killed: .kill
    case .unaccepted: .listenerClosed
    default: nil
    }
  }

  /// Whether aborting it sent a RST: tcp_need_reset(), net/ipv4/tcp.c. A half-open request, which no event reports,
  /// goes without one when its listener is closed.
  private static func resets(_ moment: LifecycleEnd.Moment) -> Bool {
    switch moment.old {
    case .synReceived where moment.source != .event: false
    case .established, .closeWait, .finWait1, .finWait2, .synReceived: true
    default: false
    }
  }

  /// The RST that an end sends. Its sequence number is the next byte's, exactly what the
  /// peer expects, which would otherwise have ignored it (RFC 5961, section 3.2).
  private func reset(by side: Side, _ moment: LifecycleEnd.Moment) -> LifecycleSegment {
    let received = life[side.other]?.moments.last { $0.reason == .resetReceived }
    // A RST that answers a segment has that segment's acknowledgement number, which isn't known.
    let own = moment.reason == .resetSent ? nil : moment.sendNext
    let isAnswer = moment.reason == .resetSent
    return LifecycleSegment(
      isAnswer ? .rst : [.rst, .ack], sequence: received?.receiveNext ?? own,
      acknowledgement: isAnswer ? nil : moment.receiveNext)
  }

  /// Whether an end can have sent a RST that its rows don't show: it isn't on this host, or had no socket any more. One
  /// that was still open sent none, and what reset it may have reset both: a middlebox.
  private func mayHaveReset(_ side: Side, at time: UInt64) -> Bool {
    guard let end = life[side] else { return true }
    guard !end.moments.contains(where: { Self.sendsReset($0) }), let closed = end.moment(entering: .closed)
    else { return false }
    return closed.time <= time && closed.reason != .resetReceived
  }

  /// Adds the RST that an end received, unless its sender was seen to send it.
  private mutating func implyReset(by side: Side, _ phase: LifecycleStep.Phase, _ moment: LifecycleEnd.Moment) {
    guard !life.isSelfConnected, mayHaveReset(side, at: moment.time) else { return }
    var step = LifecycleStep(phase, nil, side, .implied)
    if moment.reason == .refused {
      // Nobody listened: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> (RFC 9293, section 3.10.7.1).
      step.segment = LifecycleSegment(
        [.rst, .ack], sequence: nil, acknowledgement: sequences.initial(side.other).map { $0 &+ 1 })
    } else {
      step.segment = LifecycleSegment(.rst, sequence: moment.receiveNext)
      if life[side] == nil, moment.old.isSynchronized { step.state = .closed }
    }
    add(step, at: moment.time, rank: 185)
  }
}
