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
    case .resetReceived, .refused:
      implyReset(by: side.other, phase, moment)
    case .aborted, .killed, .unaccepted, .resetSent:
      step.act = Self.act(moment.reason)
      if Self.resets(moment.old) { step.segment = reset(by: side, moment) }
    default: break
    }
    add(step, at: moment.time, rank: 190)
  }

  private static func act(_ reason: Reason?) -> LifecycleStep.Act? {
    switch reason {
    case .aborted: .abort
    case .killed: .kill
    case .unaccepted: .listenerClosed
    default: nil
    }
  }

  /// Whether aborting in this state sends a RST: tcp_need_reset(), net/ipv4/tcp.c.
  private static func resets(_ state: TCPState) -> Bool {
    switch state {
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

  /// Adds the RST that an end received, unless its sender was seen to send it.
  private mutating func implyReset(by side: Side, _ phase: LifecycleStep.Phase, _ moment: LifecycleEnd.Moment) {
    let sent = life[side]?.moments.contains { moment in
      switch moment.reason {
      case .aborted, .killed, .unaccepted, .resetSent: Self.resets(moment.old)
      default: false
      }
    }
    guard sent != true else { return }
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
