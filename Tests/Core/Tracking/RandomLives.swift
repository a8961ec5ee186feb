// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport

/// Random true lives of sockets, and the records that the kernel would make of them.
struct RandomLives {
  /// A step of one socket.
  struct Step {
    let cookie: UInt64
    let old: TCPState
    let new: TCPState
    let time: UInt64
  }

  /// In the order of their times, all different.
  private(set) var steps: [Step] = []
  /// When each socket was in each state; it passes each at most once.
  private(set) var truth: [UInt64: [TCPState: Range<UInt64>]] = [:]
  static let start: UInt64 = 5_000_000_000_000

  private static let ways: [[TCPState]] = [
    [.closed, .synSent, .established, .finWait1, .finWait2, .timeWait],
    [.closed, .synSent, .established, .finWait1, .closing, .timeWait],
    [.closed, .synSent, .established, .closed],
    [.closed, .synSent, .closed],
    [.closed, .synSent, .established, .closeWait, .lastAck, .closed],
    [.listen, .synReceived, .established, .closeWait, .lastAck, .closed],
    [.listen, .synReceived, .established, .finWait1, .closed],
    [.closed, .listen, .closed],
  ]

  init(count: Int, _ random: inout SeededGenerator) {
    for cookie in 1...UInt64(count) {
      guard let way = Self.ways.randomElement(using: &random) else { continue }
      var time = Self.start + .random(in: 0...1_000_000, using: &random)
      var entered = time
      for (old, new) in zip(way, way.dropFirst()) {
        time += .random(in: 1...1_000_000, using: &random)
        steps.append(Step(cookie: cookie, old: old, new: new, time: time))
        truth[cookie, default: [:]][old] = entered..<time
        entered = time
      }
      if way.last == .timeWait { truth[cookie, default: [:]][.timeWait] = entered..<UInt64.max }
    }
    steps.sort { $0.time < $1.time }
  }

  /// The tracepoint's record of a step.
  static func event(_ step: Step) -> tcpstate_event {
    var event = EventBuilder.transition(step.old, step.new == .timeWait ? .closed : step.new)
    if step.new == .timeWait { event.flags = UInt16(TCPSTATE_FLAG_DONE) }
    event.timestamp_ns = step.time
    event.cookie = step.cookie
    event.socket_address = step.cookie << 8
    event.local_port = UInt16(truncatingIfNeeded: step.cookie)
    event.peer_port = 443
    event.netns = 1
    return event
  }

  /// The records of a reading of the kernel's tables at `time`.
  func sockets(at time: UInt64) -> [tcpstate_snapshot] {
    truth.compactMap { cookie, stays in
      guard let (state, stay) = stays.first(where: { $0.value.contains(time) }), state != .closed else { return nil }
      // A child isn't a socket before its SYN arrives.
      if state == .listen, stays[.synReceived] != nil { return nil }
      var record = tcpstate_snapshot()
      record.event = Self.event(Step(cookie: cookie, old: state, new: state, time: time))
      record.event.state_new = state.number
      record.event.kind = UInt8(state == .timeWait ? TCPSTATE_KIND_TIMEWAIT : TCPSTATE_KIND_SOCKET)
      record.event.flags = UInt16(TCPSTATE_FLAG_HAS_ENTRY_STAMP)
      record.entry_stamp_ms = UInt32(truncatingIfNeeded: stay.lowerBound / 1_000_000)
      record.fd = TCPSTATE_NO_FD
      return record
    }
  }
}
