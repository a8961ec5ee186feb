// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport
import Testing

/// Rows without readings know everything else.
@Suite struct ReadingsTests {
  private static let readings: Set<String> = [
    "sendUnacknowledged", "unreadBytes", "unacknowledgedBytes", "unsentBytes", "receiveShutdown", "sendWindowBytes",
    "receiveWindowBytes", "congestionWindowPackets", "slowStartThresholdPackets", "congestionControl",
    "rtoMicroseconds", "segmentsSent", "segmentsReceived",
  ]

  /// The record of a step, with something in each field that rows show.
  private static func event(_ step: RandomLives.Step, _ random: inout SeededGenerator) -> tcpstate_event {
    var event = RandomLives.event(step)
    event.smoothed_rtt_us8 = .random(in: 8...8_000, using: &random)
    event.bytes_sent = .random(in: 0...9_000, using: &random)
    event.bytes_received = .random(in: 1...9_000, using: &random)
    event.send_unacknowledged = .random(in: 1 ... .max, using: &random)
    event.send_next = event.send_unacknowledged &+ 9
    event.write_sequence = event.send_next &+ 7
    event.receive_next = .random(in: 1 ... .max, using: &random)
    event.copied_sequence = event.receive_next &- 5
    (event.send_window, event.receive_window) = (65_536, 32_768)
    (event.congestion_window, event.slow_start_threshold) = (10, 7)
    (event.segments_sent, event.segments_received, event.rto_jiffies) = (4, 3, 50)
    (event.owner_pid, event.actor_pid) = (812, 812)
    for path in [\tcpstate_event.owner_name, \.actor_name, \.congestion_control] {
      EventBuilder.set(ShortName("cubic"), at: path, of: &event)
    }
    return event
  }

  @Test func onlyReadingsAreLeftOut() {
    var random = SeededGenerator(seed: 5)
    var full = ConnectionTracker()
    var bare = ConnectionTracker()
    bare.fillsReadings = false
    full.ticksPerSecond = 250
    bare.ticksPerSecond = 250
    var leftOut = Set<String>()
    for step in RandomLives(count: 100, &random).steps {
      let event = Self.event(step, &random)
      var (a, b) = (Transition(), Transition())
      let hasRow = withUnsafePointer(to: event) { full.apply($0, to: &a) }
      #expect(withUnsafePointer(to: event) { bare.apply($0, to: &b) } == hasRow)
      for (known, kept) in zip(RandomTransition.fields(a), RandomTransition.fields(b)) where known != kept {
        leftOut.insert(String(known.prefix { $0 != ":" }))
      }
    }
    #expect(leftOut == Self.readings)
  }
}
