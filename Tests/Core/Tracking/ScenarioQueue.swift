// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport

/// Passes the events of a scenario through the queue as several CPUs might deliver them: out of order, each late by
/// less than the time for which events are held back.
struct ScenarioQueue: ~Copyable {
  /// As in the live stream: after this many nanoseconds all older events have arrived.
  static let window: UInt64 = 1_000_000

  private let queue = EventQueue()
  private let arena = RecordArena()
  private let isShuffled: Bool
  private var random: SeededGenerator

  /// - Parameter seed: `nil` keeps the order of the times.
  init(seed: UInt64?) {
    isShuffled = seed != nil
    random = SeededGenerator(seed: seed ?? 0)
  }

  /// All of the events, as the queue hands them on.
  ///
  /// - Parameter events: in the order of their times.
  mutating func play(_ events: [tcpstate_event]) throws -> [tcpstate_event] {
    var handedOn: [tcpstate_event] = []
    for (now, event) in arrivals(events) {
      while now >= Self.window, let next = queue.next(until: now - Self.window) { handedOn.append(next.pointee) }
      arena.append(event, to: queue)
    }
    while let next = queue.next(until: .max) { handedOn.append(next.pointee) }
    guard queue.undecodable == 0 else { throw Scenario.Malformed("a record can't be decoded") }
    return handedOn
  }

  /// When each event arrives. Those of one socket keep their order, because its lock is held while they are recorded;
  /// so do those with the same time.
  private mutating func arrivals(_ events: [tcpstate_event]) -> [(at: UInt64, event: tcpstate_event)] {
    var last: [UInt64: UInt64] = [:]
    var previous = (time: UInt64(0), arrival: UInt64(0))
    var arrivals: [(at: UInt64, order: Int, event: tcpstate_event)] = []
    for (order, event) in events.enumerated() {
      let time = event.timestamp_ns
      let delay = isShuffled ? UInt64.random(in: 0..<Self.window, using: &random) : 0
      var arrival = max(time + delay, last[event.socket_address] ?? 0)
      if time == previous.time { arrival = max(arrival, previous.arrival) }
      last[event.socket_address] = arrival
      previous = (time, arrival)
      arrivals.append((arrival, order, event))
    }
    return arrivals.sorted { ($0.at, $0.order) < ($1.at, $1.order) }.map { ($0.at, $0.event) }
  }
}
