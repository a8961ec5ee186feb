// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport
import Testing

/// What holds for every order of events: a stay is never reported as longer than it was, and
/// an exact one is as long as it was. A failure names its seed.
@Suite struct TrackerPropertyTests {
  /// Feeds lives to a tracker and compares its rows with them.
  private struct Trial: ~Copyable {
    let lives: RandomLives
    let seed: UInt64
    var tracker = ConnectionTracker()
    private var row = Transition()
    private var pass: (start: UInt64, before: UInt64) = (0, 0)
    private(set) var exact = 0
    private(set) var bounds = 0

    init(_ lives: RandomLives, seed: UInt64) {
      self.lives = lives
      self.seed = seed
    }

    mutating func apply(_ step: RandomLives.Step) {
      let event = RandomLives.event(step)
      if withUnsafePointer(to: event, { tracker.apply($0, to: &row) }) { check() }
    }

    mutating func read(at time: UInt64) {
      pass = (time, pass.start)
      tracker.beginPass()
      for socket in lives.sockets(at: time) {
        if withUnsafePointer(to: socket, { tracker.apply($0, to: &row) }) { check() }
      }
      for key in tracker.endPass(startedAt: time, minisocksOnly: false) {
        tracker.conclude(key, pass: time...time, lastSeen: pass.before, overflowed: false, to: &row)
        check()
      }
      tracker.lossBegan = nil
    }

    private mutating func check() {
      guard let stay = row.stay else { return }
      guard let truth = lives.truth[row.connection]?[row.old] else {
        Issue.record("seed \(seed): \(row.connection) never was in \(row.old)")
        return
      }
      // Stays that depend on the entry stamp of TIME-WAIT are known to the millisecond.
      let slack: UInt64 = row.old == .timeWait || (row.new == .timeWait && row.source == .derived) ? 1_000_000 : 0
      let length = truth.upperBound - truth.lowerBound
      if stay.kind == .exact {
        exact += 1
        require(max(stay.nanoseconds, length) - min(stay.nanoseconds, length) <= slack, stay, length)
      } else {
        bounds += 1
        require(stay.nanoseconds <= length + slack, stay, length)
      }
    }

    /// Cheaper than a hundred thousand `#expect`.
    private func require(_ condition: Bool, _ stay: Stay, _ length: UInt64) {
      guard !condition else { return }
      Issue.record("seed \(seed): \(row.connection) \(row.old)→\(row.new) stayed \(length), reported \(stay)")
    }

    /// As many connections are open as are tracked.
    func checkCounts() {
      var open: UInt64 = 0
      for state in TCPState.all { open += tracker.openCount(state) }
      #expect(open == UInt64(tracker.trackedCount), "seed \(seed)")
    }
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func inOrderAllIsExact(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var trial = Trial(RandomLives(count: 20, &random), seed: seed)
    for step in trial.lives.steps { trial.apply(step) }
    let left = trial.lives.steps.count { $0.old != .closed && $0.old != .listen && $0.old != .synReceived }
    let listened = trial.lives.steps.count { $0.old == .listen && $0.new == .closed }
    #expect(trial.exact == left + listened, "seed \(seed)")
    #expect(trial.tracker.unmatched == 0, "seed \(seed)")
    trial.checkCounts()
  }

  /// Known gaps, such as losses, with readings of the tables in between.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func gapsAndReadings(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var trial = Trial(RandomLives(count: 20, &random), seed: seed)
    trial.tracker.knowsExisting = true
    trial.tracker.completeSince = RandomLives.start
    var last = RandomLives.start
    var isLost = false
    for step in trial.lives.steps {
      guard Int.random(in: 0..<5, using: &random) > 0 else {
        isLost = true
        continue
      }
      if isLost {
        // As in LiveStream: the first event after the gap shows the loss.
        if trial.tracker.lossBegan == nil { trial.tracker.lossBegan = last }
        trial.tracker.completeSince = step.time
      }
      trial.apply(step)
      last = step.time
      if isLost, Bool.random(using: &random) {
        trial.read(at: step.time + 1)
        last = step.time + 1
        isLost = false
      }
      isLost = false
    }
    if let end = trial.lives.steps.last?.time { trial.read(at: end + 100_000_000) }
    #expect(trial.exact + trial.bounds > 0, "seed \(seed)")
    trial.checkCounts()
  }

  /// Events in any order, some twice, some never: exact stays are true all the same.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func anyOrder(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var trial = Trial(RandomLives(count: 12, &random), seed: seed)
    var steps = trial.lives.steps.filter { _ in Int.random(in: 0..<6, using: &random) > 0 }
    steps += steps.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
    for step in steps.shuffled(using: &random) { trial.apply(step) }
    trial.checkCounts()
  }

  /// Records that describe no life at all: any states, times, and readings. No stay begins before the machine did.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func nonsense(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var tracker = ConnectionTracker()
    tracker.ticksPerSecond = 250
    tracker.knowsExisting = Bool.random(using: &random)
    var row = Transition()
    func check() {
      guard let stay = row.stay, stay.nanoseconds > row.time else { return }
      Issue.record("seed \(seed): \(row.old)→\(row.new) stayed \(stay), longer than the machine has been up")
    }
    for _ in 0..<300 {
      let step = RandomLives.Step(
        cookie: .random(in: 0...5, using: &random), old: TCPState(number: .random(in: 0...14, using: &random)),
        new: TCPState(number: .random(in: 0...14, using: &random)), time: .random(in: 1...1_000_000, using: &random))
      var record = tcpstate_snapshot()
      record.event = RandomLives.event(step)
      record.event.flags = .random(in: 0 ... .max, using: &random)
      record.jiffies = .random(in: 0 ... .max, using: &random)
      record.timer_expires = .random(in: 0 ... .max, using: &random)
      record.entry_stamp_ms = .random(in: 0 ... .max, using: &random)
      record.request_age_us = .random(in: 0 ... .max, using: &random)
      record.event.kind = .random(in: 1...6, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: tracker.beginPass()
      case 1:
        for key in tracker.endPass(startedAt: step.time, minisocksOnly: Bool.random(using: &random)) {
          tracker.conclude(key, pass: step.time...step.time, lastSeen: 1, overflowed: false, to: &row)
          check()
        }
      case 2, 3: if withUnsafePointer(to: record, { tracker.apply($0, to: &row) }) { check() }
      default: if withUnsafePointer(to: record.event, { tracker.apply($0, to: &row) }) { check() }
      }
    }
    var open: UInt64 = 0
    for state in TCPState.all { open += tracker.openCount(state) }
    #expect(open <= UInt64(tracker.trackedCount), "seed \(seed)")
  }
}
