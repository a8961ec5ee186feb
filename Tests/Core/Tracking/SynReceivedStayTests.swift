// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport
import Testing

/// The rule for SYN-RECEIVED's stay exists in C (the kernel side) and in Swift. Both get the same records.
@Suite struct SynReceivedStayTests {
  private struct Handshake: CustomStringConvertible {
    /// Nanoseconds between the child's two events.
    var spacing: UInt64
    /// As in the record: microseconds times 8.
    var rtt: UInt32
    var retransmits: UInt32
    /// `nil` where the kernel doesn't keep it.
    var rtoTime: UInt32?

    var description: String {
      "\(spacing) ns, rtt \(rtt), \(retransmits) retransmits, \(rtoTime.map { "\($0)" } ?? "no") ms"
    }

    /// As the kernel side does in `aggregate`.
    var byKernelSide: Stay {
      let stay = tcpstate_syn_received_stay(rtt, retransmits, rtoTime ?? 0, spacing)
      return Stay(nanoseconds: stay.ns, kind: stay.exact ? .exact : .atLeast)
    }

    /// The row of a child that goes to ESTABLISHED.
    var byTracker: Stay? {
      var tracker = ConnectionTracker()
      tracker.completeSince = 1
      var event = EventBuilder.transition(.listen, .synReceived)
      (event.cookie, event.peer_port, event.timestamp_ns) = (1, 443, 1_000_000)
      var row = Transition()
      guard withUnsafePointer(to: event, { tracker.apply($0, to: &row) }) else { return nil }
      event.state_old = TCPState.synReceived.number
      event.state_new = TCPState.established.number
      event.timestamp_ns += spacing
      event.smoothed_rtt_us8 = rtt
      event.retransmits = retransmits
      if let rtoTime {
        event.total_rto_time_ms = rtoTime
        event.flags |= UInt16(TCPSTATE_FLAG_HAS_RTO_TIME)
      }
      guard withUnsafePointer(to: event, { tracker.apply($0, to: &row) }) else { return nil }
      return row.stay
    }
  }

  private func check(_ handshake: Handshake) {
    #expect(handshake.byTracker == handshake.byKernelSide, "\(handshake)")
    #expect(tcpstate_syn_received_stay(handshake.rtt, handshake.retransmits, 0, handshake.spacing).known)
  }

  /// Every combination of the values at which the rule changes.
  @Test func edges() {
    for spacing in [0, 1, 20_000, 1_000_000, 999_999_999, 1_000_000_000, 1 << 40] as [UInt64] {
      for rtt in [0, 7, 8, 800, 7999, 8000, 8008, 80_000, .max] as [UInt32] {
        for retransmits in [0, 1, 2, 6, 7, 8, 255, 256, .max] as [UInt32] {
          for rtoTime in [nil, 0, 1, 1000, 3601, .max] as [UInt32?] {
            check(Handshake(spacing: spacing, rtt: rtt, retransmits: retransmits, rtoTime: rtoTime))
          }
        }
      }
    }
  }

  @Test func random() {
    var random = SeededGenerator(seed: 15)
    for _ in 0..<20_000 {
      let handshake = Handshake(
        spacing: UInt64.random(in: 0...1 << UInt64.random(in: 0...44, using: &random), using: &random),
        rtt: UInt32.random(in: 0...1 << UInt32.random(in: 0...31, using: &random), using: &random),
        retransmits: UInt32.random(in: 0...9, using: &random),
        rtoTime: Bool.random(using: &random) ? nil : UInt32.random(in: 0...200_000, using: &random))
      check(handshake)
    }
  }

  /// Both agree on what is right.
  @Test func rule() {
    let measured = Handshake(spacing: 20_000, rtt: 3040, retransmits: 0, rtoTime: nil).byKernelSide
    #expect(measured == Stay(nanoseconds: 380_000, kind: .exact))
    let cookie = Handshake(spacing: 20_000, rtt: 8000, retransmits: 0, rtoTime: 0).byKernelSide
    #expect(cookie == Stay(nanoseconds: 20_000, kind: .atLeast), "whole milliseconds are from timestamps")
    let summed = Handshake(spacing: 20_000, rtt: 0, retransmits: 2, rtoTime: 3601).byKernelSide
    #expect(summed == Stay(nanoseconds: 3_601_000_000, kind: .exact))
    let counted = Handshake(spacing: 20_000, rtt: 0, retransmits: 2, rtoTime: nil).byKernelSide
    #expect(counted == Stay(nanoseconds: 3_000_000_000, kind: .atLeast))
  }
}
