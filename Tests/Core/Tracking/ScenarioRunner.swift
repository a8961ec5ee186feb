import CTCPStateEvent
import TCPStateCore
import Testing

/// Plays a scenario to a tracker and compares its rows.
struct ScenarioRunner: ~Copyable {
  /// Wall-clock time of the scenario's zero.
  private static let start: UInt64 = 1_795_468_323_000_000_000

  private let scenario: Scenario
  private var tracker = ConnectionTracker()
  private var sockets: [String: tcpstate_snapshot] = [:]
  private var rows: ArraySlice<Transition> = []
  private var pass = (start: UInt64(0), before: UInt64(0), minisocksOnly: false)

  init(_ scenario: Scenario) {
    self.scenario = scenario
    tracker.wallOffset = Self.start
  }

  mutating func run() throws {
    for line in scenario.lines {
      do {
        if case .row = line.step {} else { noRowIsLeft(before: line) }
        try play(line)
      } catch {
        throw Scenario.Malformed("\(scenario.name).scenario:\(line.number): \(error)")
      }
    }
    if let last = scenario.lines.last { noRowIsLeft(before: last) }
  }

  private mutating func noRowIsLeft(before line: Scenario.Line) {
    for row in rows { Issue.record("\(at(line)): before it an unexpected row \(row.old)→\(row.new)") }
    rows = []
  }

  private func at(_ line: Scenario.Line) -> Comment { "\(scenario.name).scenario:\(line.number)" }

  private mutating func play(_ line: Scenario.Line) throws {
    switch line.step {
    case .socket(let name, let attributes):
      var record = tcpstate_snapshot()
      record.event = EventBuilder.transition(.closed, .closed)
      record.fd = TCPSTATE_NO_FD
      try ScenarioRecord.apply(attributes, to: &record)
      sockets[name] = record
    case .ticks(let ticks): tracker.ticksPerSecond = ticks
    case .completeSince(let time): tracker.completeSince = time
    case .beginPass(let time, let minisocksOnly):
      pass = (time, pass.start, minisocksOnly)
      tracker.beginPass()
    case .endPass(let time, let overflowed): endPass(at: time ?? pass.start, overflowed: overflowed)
    case .event(let time, let name, let old, let new, let attributes):
      let record = try record(of: name, at: time, old, new, attributes)
      var row = Transition()
      if withUnsafePointer(to: record.event, { tracker.apply($0, to: &row) }) { rows.append(row) }
      if let reused = tracker.takeReused() {
        tracker.concludeReused(at: reused.time, reused.key, to: &row)
        rows.append(row)
      }
    case .snapshot(let time, let name, let state, let attributes):
      var record = try record(of: name, at: time, state, state, ["kind=socket"] + attributes)
      var row = Transition()
      if tracker.apply(&record, to: &row) { rows.append(row) }
    case .row(let old, let new, let fields): try compare(line, old, new, fields)
    case .expect(let expectations): try check(line, expectations)
    }
  }

  private mutating func endPass(at time: UInt64, overflowed: Bool) {
    for key in tracker.endPass(startedAt: pass.start, minisocksOnly: pass.minisocksOnly) {
      var row = Transition()
      tracker.conclude(
        key, pass: pass.start...time, lastSeen: pass.before, overflowed: overflowed, to: &row)
      rows.append(row)
    }
  }

  private func record(
    of name: String, at time: UInt64, _ old: TCPState, _ new: TCPState, _ attributes: [Substring]
  ) throws -> tcpstate_snapshot {
    guard var record = sockets[name] else { throw Scenario.Malformed("no socket '\(name)'") }
    record.event.timestamp_ns = time
    record.event.state_old = old.number
    record.event.state_new = new.number
    try ScenarioRecord.apply(attributes, to: &record)
    return record
  }

  private mutating func compare(
    _ line: Scenario.Line, _ old: TCPState, _ new: TCPState, _ fields: [Substring]
  ) throws {
    guard let row = rows.popFirst() else {
      Issue.record("\(at(line)): no such row")
      return
    }
    #expect(row.old == old && row.new == new, "\(at(line)): \(row.old)→\(row.new)")
    for field in fields {
      let parts = field.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { throw Scenario.Malformed("'\(field)' is no field=value") }
      let expected = try ScenarioRow.canonical(parts[0], parts[1])
      let actual = try ScenarioRow.text(parts[0], of: row, start: Self.start)
      #expect(actual == expected, "\(at(line)): \(parts[0])")
    }
  }

  private func check(_ line: Scenario.Line, _ expectations: [Substring]) throws {
    for expectation in expectations {
      let parts = expectation.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { throw Scenario.Malformed("'\(expectation)' is no name=number") }
      let number: UInt64 = try Scenario.number(parts[1])
      let actual: UInt64
      switch parts[0] {
      case "unmatched": actual = tracker.unmatched
      case "tracked": actual = UInt64(tracker.trackedCount)
      default: actual = tracker.openCount(try Scenario.state(parts[0]))
      }
      #expect(actual == number, "\(at(line)): \(parts[0])")
    }
  }
}
