// SPDX-License-Identifier: Apache-2.0

/// The three-way handshake, RFC 9293, section 3.5.
extension LifecycleStepBuilder {
  mutating func addHandshake(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    let time = moment.time
    switch (moment.old, moment.new) {
    case (.closed, .synSent):
      var step = observed(.handshake, 1, end, index, side)
      if !sentNothing(end, index) {
        step.segment = syn(side)
        step.segment?.isUnanswered = isUnanswered(end, index)
      }
      add(step, at: time, rank: 10)
    case (.listen, .synReceived):
      let start = end.synReceivedStart ?? (time, true)
      var step = observed(.handshake, 2, end, index, side)
      step.time = start.time
      step.timeKind = start.isBound ? .atMost : moment.source == .event ? .exact : step.timeKind
      // It rests on counters in microseconds, or in milliseconds. A SYN is never answered before it is sent, nor after
      // its answer has come.
      limit(
        &step, from: life[side.other]?.moment(entering: .synSent)?.time,
        to: life[side.other]?.moment(from: .synSent, to: .established)?.time)
      let time = step.time ?? start.time
      imply(
        .implied(.handshake, 1, of: side.other, entering: .synSent, sending: syn(side.other)), at: time, rank: 10)
      step.segment = synAck(side)
      step.segment?.isUnanswered = isUnanswered(end, index)
      add(step, at: time, rank: 20)
    case (.synSent, .synReceived):
      imply(.implied(.handshake, 1, of: side.other, entering: .synSent, sending: syn(side.other)), at: time, rank: 10)
      var step = observed(.handshake, 2, end, index, side)
      step.segment = synAck(side)
      add(step, at: time, rank: 20)
      imply(
        .implied(.handshake, 2, of: side.other, entering: .synReceived, sending: synAck(side.other)),
        at: time, rank: 21)
    case (.synSent, .established) where moment.segmentsSent == 0:
      add(observed(.handshake, nil, end, index, side), at: time, rank: 30)
    case (.synSent, .established):
      imply(
        .implied(.handshake, 2, of: side.other, entering: .synReceived, sending: synAck(side.other)),
        at: time, rank: 20)
      var step = observed(.handshake, 3, end, index, side)
      step.segment = handshakeAck(side, moment)
      add(step, at: time, rank: 30)
      imply(.implied(.handshake, 4, of: side.other, entering: .established), at: time, rank: 40)
    default:
      if !life.isSimultaneousOpen {
        let ack = handshakeAck(side.other, nil)
        imply(.implied(.handshake, 3, of: side.other, entering: .established, sending: ack), at: time, rank: 30)
      }
      add(observed(.handshake, 4, end, index, side), at: time, rank: 40)
      if life.isSimultaneousOpen {
        imply(.implied(.handshake, 4, of: side.other, entering: .established), at: time, rank: 41)
      }
    }
  }

  private func syn(_ side: Side) -> LifecycleSegment {
    LifecycleSegment(.syn, sequence: sequences.initial(side))
  }

  private func synAck(_ side: Side) -> LifecycleSegment {
    // If the SYN carried data (RFC 7413) it acknowledges that too: SND.UNA of the end that received it.
    let asked = life[side.other]?.moment(from: .synSent, to: .established)
    var acknowledged = asked?.sendUnacknowledged ?? sequences.initial(side.other).map { $0 &+ 1 }
    if asked == nil, let number = acknowledged, let data = fastOpenBytes(side) {
      acknowledged = number &+ data
    }
    return LifecycleSegment([.syn, .ack], sequence: sequences.initial(side), acknowledgement: acknowledged)
  }

  /// Payload that the server accepted with the SYN, before the handshake's last ACK.
  private func fastOpenBytes(_ side: Side) -> UInt32? {
    guard let moment = life[side]?.moment(from: .synReceived, to: .established), let bytes = moment.bytesReceived
    else { return nil }
    return UInt32(truncatingIfNeeded: bytes)
  }

  /// The last ACK of the handshake.
  ///
  /// - Parameter moment: the sender's transition, if it was seen.
  private func handshakeAck(_ side: Side, _ moment: LifecycleEnd.Moment?) -> LifecycleSegment {
    var sequence = moment?.sendNext ?? sequences.initial(side).map { $0 &+ 1 }
    if moment == nil, let number = sequence, let data = fastOpenBytes(side.other) { sequence = number &+ data }
    let acknowledgement = moment?.receiveNext ?? sequences.initial(side.other).map { $0 &+ 1 }
    return LifecycleSegment(.ack, sequence: sequence, acknowledgement: acknowledgement)
  }

  /// Whether no SYN had left when the end went on to its next state: connect() failed before, or didn't wait for an
  /// answer, because of TCP_REPAIR.
  private func sentNothing(_ end: LifecycleEnd, _ index: Int) -> Bool {
    guard index + 1 < end.moments.count else { return false }
    let next = end.moments[index + 1]
    return next.segmentsSent == 0 || next.reason?.isBeforeSyn ?? false
  }

  /// Whether the connection ended while waiting for the answer.
  private func isUnanswered(_ end: LifecycleEnd, _ index: Int) -> Bool {
    guard index + 1 < end.moments.count else { return false }
    let next = end.moments[index + 1]
    return next.new == .closed && next.reason != .refused && next.reason != .resetReceived
  }
}
