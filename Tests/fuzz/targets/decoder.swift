// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TCPStateReport

/// Records as the kernel side may deliver them, and everything that a tracker does with them.
///
/// The input is a list of steps: a byte that chooses one, then what it needs. A step is a raw record of any length, or
/// the short description of a record, made so that the same few sockets occur again and again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  var player = Player(UnsafeRawBufferPointer(start: data, count: size))
  player.play()
  Recording.checkRoundTrip(player.rows, what: "a tracker's rows")
  Recording.fold(player.rows)
  return 0
}

private struct Player: ~Copyable {
  private var input: UnsafeRawBufferPointer
  private var tracker = ConnectionTracker()
  private var now: UInt64 = 1_000_000_000_000
  private var pass: (start: UInt64, before: UInt64) = (0, 0)
  private(set) var rows: [Transition] = []
  private var row = Transition()

  init(_ input: UnsafeRawBufferPointer) {
    self.input = input
    tracker.knowsExisting = true
  }

  private mutating func byte() -> UInt8 {
    guard let first = input.first else { return 0 }
    input = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    return first
  }

  mutating func play() {
    while !input.isEmpty, rows.count < 200 {
      switch byte() % 10 {
      case 0: raw()
      case 1: beginPass()
      case 2: endPass()
      case 3: tracker.ticksPerSecond = [100, 250, 300, 1_000][Int(byte() % 4)]
      case 4: noteLoss()
      case 5: socket()
      case 6: lookAtOpen()
      default: event()
      }
      var open: UInt64 = 0
      for state in TCPState.all { open += tracker.openCount(state) }
      precondition(open <= UInt64(tracker.trackedCount), "\(open) of \(tracker.trackedCount) are open")
    }
  }

  /// Any bytes.
  private mutating func raw() {
    let count = Int(byte()) * 2
    let bytes = UnsafeRawBufferPointer(rebasing: input.prefix(count))
    // The kernel's time, ktime_t, is signed and never negative.
    if var event = try? EventDecoder.event(bytes) {
      event.timestamp_ns &= .max >> 1
      apply(event)
    }
    if var snapshot = try? EventDecoder.snapshot(bytes) {
      snapshot.event.timestamp_ns &= .max >> 1
      apply(snapshot)
    }
    input = UnsafeRawBufferPointer(rebasing: input.dropFirst(bytes.count))
  }

  private mutating func record(_ kind: Int32) -> tcpstate_event {
    var event = tcpstate_event()
    event.version = UInt8(TCPSTATE_EVENT_VERSION)
    event.kind = UInt8(kind)
    event.cookie = UInt64(byte() % 8)
    event.socket_address = event.cookie + 1
    event.state_old = byte() % 14
    event.state_new = byte() % 14
    // Time mostly advances, and sometimes goes back.
    let step = UInt64(byte())
    now = step > 250 ? now &- (step << 20) : now &+ (step << 18)
    event.timestamp_ns = now
    event.flags = UInt16(byte())
    event.error = [0, 0, 0, 104, 110, 111, 32, 103][Int(byte() % 8)]
    event.smoothed_rtt_us8 = UInt32(byte()) << 6
    event.retransmits = UInt32(byte() % 4)
    event.local_port = UInt16(byte() % 3)
    event.peer_port = 443
    event.netns = 1
    event.send_next = UInt32(byte()) << 24
    event.send_unacknowledged = event.send_next &- UInt32(byte() % 4)
    return event
  }

  private mutating func event() {
    let kinds = [TCPSTATE_KIND_TRANSITION, TCPSTATE_KIND_TRANSITION, TCPSTATE_KIND_RESET_SENT, TCPSTATE_KIND_SYN_ACK]
    let kind = kinds[Int(byte() % 4)]
    apply(record(kind))
  }

  private mutating func socket() {
    let kinds = [TCPSTATE_KIND_SOCKET, TCPSTATE_KIND_TIMEWAIT, TCPSTATE_KIND_REQUEST]
    var snapshot = tcpstate_snapshot()
    let kind = kinds[Int(byte() % 3)]
    snapshot.event = record(kind)
    snapshot.jiffies = now / 4_000_000
    snapshot.timer_expires = snapshot.jiffies &+ UInt64(byte()) &- 64
    snapshot.entry_stamp_ms = UInt32(truncatingIfNeeded: now / 1_000_000) &- UInt32(byte())
    snapshot.syn_ack_timeouts = UInt32(byte() % 4)
    snapshot.request_age_us = UInt32(byte()) << 10
    apply(snapshot)
  }

  private mutating func apply(_ event: tcpstate_event) {
    withUnsafePointer(to: event) { if tracker.apply($0, to: &row) { take(row) } }
    if let reused = tracker.takeReused() {
      tracker.concludeReused(at: reused.time, reused.key, to: &row)
      take(row)
    }
  }

  private mutating func apply(_ snapshot: tcpstate_snapshot) {
    withUnsafePointer(to: snapshot) {
      _ = tracker.mustWait($0)
      if tracker.apply($0, to: &row) { take(row) }
    }
  }

  private mutating func beginPass() {
    pass = (now, pass.start)
    tracker.beginPass()
  }

  private mutating func endPass() {
    let minisocksOnly = byte() % 2 == 0
    let overflowed = byte() % 2 == 0
    for key in tracker.endPass(startedAt: pass.start, minisocksOnly: minisocksOnly) {
      tracker.conclude(
        key, pass: pass.start...max(pass.start, now), lastSeen: pass.before, overflowed: overflowed, to: &row)
      take(row)
    }
    if !minisocksOnly { tracker.lossBegan = nil }
  }

  private mutating func noteLoss() {
    if tracker.lossBegan == nil { tracker.lossBegan = now }
    tracker.completeSince = now
  }

  private func lookAtOpen() {
    var count = 0
    tracker.forEachOpen(now: now) { row in
      precondition(row.old == row.new)
      count += 1
    }
    precondition(count == tracker.trackedCount)
  }

  private mutating func take(_ row: Transition) {
    precondition(row.old != row.new, "a row without a change")
    // SYN-RECEIVED's comes from the kernel's own counters, which are random here.
    if let stay = row.stay, row.old != .synReceived {
      precondition(stay.nanoseconds <= row.time, "\(row.old)→\(row.new) began before the machine was started")
    }
    rows.append(row)
  }
}
