// SPDX-License-Identifier: Apache-2.0

/// The sequence numbers of a life, each from the end that knows it.
struct LifecycleSequences {
  private let life: Lifecycle

  init(_ life: Lifecycle) {
    self.life = life
  }

  /// ISS of `side`: its SYN's sequence number.
  func initial(_ side: Side) -> UInt32? {
    life[side]?.facts.initialSendSequence ?? life[side.other]?.facts.initialReceiveSequence
  }

  /// The sequence number of the FIN of `side`.
  ///
  /// Known only from what was seen after it was sent: when the state changes the kernel
  /// hasn't sent it yet, and data may still be queued before it.
  func fin(_ side: Side) -> UInt32? {
    if let peer = life[side.other] {
      // RCV.NXT counts the FIN as soon as it has arrived.
      let received =
        peer.moment(entering: .closeWait) ?? peer.moment(entering: .closing)
        ?? peer.moment(from: .finWait2, to: .timeWait)
      if let next = received?.receiveNext { return next &- 1 }
    }
    if let own = life[side] {
      // SND.UNA counts the FIN once it is acknowledged.
      let acknowledged =
        own.moment(entering: .finWait2) ?? own.moment(from: .closing, to: .timeWait)
        ?? own.moment(from: .lastAck, to: .closed).flatMap { $0.reason == .fin ? $0 : nil }
      if let next = acknowledged?.sendUnacknowledged { return next &- 1 }
      if acknowledged?.new == .timeWait || acknowledged?.new == .finWait2, let next = acknowledged?.sendNext {
        return next &- 1
      }
      if let next = own.moment(from: .finWait2, to: .timeWait)?.sendNext { return next &- 1 }
    }
    return nil
  }

  /// Whether the first FIN's acknowledgement came with the second FIN, so that
  /// the passive closer sent no separate segment for it.
  ///
  /// The segment counts show it: the passive closer sent none between the two
  /// states, or the active closer received both in one.
  func isCombined(closer side: Side) -> Bool {
    if let active = life[side], let acknowledged = active.moment(from: .finWait1, to: .finWait2)?.segmentsReceived,
      let finished = active.moment(from: .finWait2, to: .timeWait)?.segmentsReceived
    {
      return acknowledged == finished
    }
    if let passive = life[side.other], let received = passive.moment(entering: .closeWait)?.segmentsSent,
      let closed = passive.moment(from: .closeWait, to: .lastAck)?.segmentsSent
    {
      return received == closed
    }
    return false
  }

  /// Whether the passive closer went without acknowledging the first FIN: its RST came first.
  func isUnacknowledged(closer side: Side) -> Bool {
    // The event of an abort comes before its RST, which isn't counted yet.
    if let passive = life[side.other], let received = passive.moment(entering: .closeWait)?.segmentsSent,
      let aborted = passive.moment(from: .closeWait, to: .closed)?.segmentsSent
    {
      return received == aborted
    }
    // Without its counters: the active closer that saw an ACK went to FIN-WAIT-2.
    guard let active = life[side], let ended = active.moment(from: .finWait1, to: .closed) else { return false }
    return ended.reason == .resetReceived && active.moment(entering: .finWait2) == nil
  }
}
