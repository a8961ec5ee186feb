// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// Plays a scenario to the queue and a tracker, and compares every field of their rows.
struct ScenarioRunner: ~Copyable {
  /// Wall-clock time of the scenario's zero.
  private static let start: UInt64 = 1_795_468_323_000_000_000

  /// A line that may make rows, and the rows that it has to make.
  private struct Group {
    let line: Scenario.Line
    var expected: [Scenario.Line] = []
  }

  private let scenario: Scenario
  private var tracker = ConnectionTracker()
  private var queue: ScenarioQueue
  private var sockets: [String: tcpstate_snapshot] = [:]
  /// The last row of each connection that goes on, by its id.
  private var last: [UInt64: Transition] = [:]
  /// By the address of a socket without a cookie, the connection that its last row was of.
  private var connections: [UInt64: UInt64] = [:]
  private var pass = (start: UInt64(0), before: UInt64(0), minisocksOnly: false)

  /// - Parameter seed: of the order in which events come; `nil` keeps the order of their times.
  init(_ scenario: Scenario, seed: UInt64?) {
    self.scenario = scenario
    queue = ScenarioQueue(seed: seed)
    tracker.wallOffset = Self.start
  }

  mutating func run() throws {
    var events: [(Group, tcpstate_event)] = []
    for group in try groups() {
      do {
        if case .event(let time, let name, let old, let new, let attributes) = group.line.step {
          events.append((group, try record(of: name, at: time, old, new, attributes).event))
          continue
        }
        try play(events)
        events = []
        try compare(group, rows: try play(group.line.step, at: group.line), event: nil)
      } catch {
        throw Scenario.Malformed("\(place(group.line)): \(error)")
      }
    }
    try play(events)
  }

  /// Each line with the rows that follow it.
  private func groups() throws -> [Group] {
    var groups: [Group] = []
    for line in scenario.lines {
      if case .row = line.step {
        guard !groups.isEmpty else { throw Scenario.Malformed("\(place(line)): nothing makes this row") }
        groups[groups.count - 1].expected.append(line)
      } else {
        groups.append(Group(line: line))
      }
    }
    return groups
  }

  private func place(_ line: Scenario.Line) -> Comment { "\(scenario.name).scenario:\(line.number)" }

  // MARK: - Playing

  /// Events that follow each other: the queue sees them out of order, and the tracker in order again.
  private mutating func play(_ events: [(Group, tcpstate_event)]) throws {
    // A reset of a full socket amends its last transition, and isn't handed on itself.
    let isReset = { (event: tcpstate_event) in
      Int32(event.kind) == TCPSTATE_KIND_RESET_SENT && event.state_new == TCPState.closed.number
    }
    var handedOn = try queue.play(events.map(\.1))[...]
    for (group, event) in events {
      guard !isReset(event) else {
        try compare(group, rows: [], event: nil)
        continue
      }
      guard let next = handedOn.popFirst(), next.timestamp_ns == event.timestamp_ns else {
        throw Scenario.Malformed("\(place(group.line)): the queue hands on another event, or none")
      }
      try compare(group, rows: apply(next), event: event)
    }
  }

  private mutating func apply(_ event: tcpstate_event) -> [Transition] {
    var rows: [Transition] = []
    var row = Transition()
    if withUnsafePointer(to: event, { tracker.apply($0, to: &row) }) { rows.append(row) }
    if let reused = tracker.takeReused() {
      tracker.concludeReused(at: reused.time, reused.key, to: &row)
      rows.append(row)
    }
    return rows
  }

  /// Every other line.
  private mutating func play(_ step: Scenario.Step, at line: Scenario.Line) throws -> [Transition] {
    switch step {
    case .socket(let name, let attributes): sockets[name] = try socket(attributes)
    case .ticks(let ticks): tracker.ticksPerSecond = ticks
    case .completeSince(let time): tracker.completeSince = time
    case .beginPass(let time, let minisocksOnly):
      pass = (time, pass.start, minisocksOnly)
      tracker.beginPass()
    case .endPass(let time, let overflowed): return endPass(at: time ?? pass.start, overflowed: overflowed)
    case .snapshot(let time, let name, let state, let attributes):
      var record = try record(of: name, at: time, state, state, ["kind=socket"] + attributes)
      var row = Transition()
      return tracker.apply(&record, to: &row) ? [row] : []
    case .owners(let time):
      tracker.followOwners(until: time)
      return ownerRows(at: time)
    case .holder(let time, let name, let attributes):
      var record = try record(of: name, at: time, .established, .established, ["kind=socket"] + attributes)
      tracker.noteHolder(&record)
    case .endLook(let time):
      tracker.endLook()
      return ownerRows(at: time)
    case .expect(let expectations): try check(line, expectations)
    case .event, .row: break
    }
    return []
  }

  private mutating func ownerRows(at time: UInt64) -> [Transition] {
    var rows: [Transition] = []
    var row = Transition()
    while tracker.nextOwnerRow(to: &row) { rows.append(row) }
    return rows
  }

  private mutating func endPass(at time: UInt64, overflowed: Bool) -> [Transition] {
    var rows: [Transition] = []
    for key in tracker.endPass(startedAt: pass.start, minisocksOnly: pass.minisocksOnly) {
      var row = Transition()
      tracker.conclude(
        key, pass: pass.start...time, lastSeen: pass.before, overflowed: overflowed, to: &row)
      rows.append(row)
    }
    return rows
  }

  private func socket(_ attributes: [Substring]) throws -> tcpstate_snapshot {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(.closed, .closed)
    record.fd = TCPSTATE_NO_FD
    // Each has an address of its own, unless it is given another one's.
    record.event.socket_address = 0xffff_8880_0000_0000 + UInt64(sockets.count + 1) << 12
    try ScenarioRecord.apply(attributes, to: &record)
    return record
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

  // MARK: - Comparing

  /// - Parameter event: what the first row has to be made from, if it is one of the tracepoint's.
  private mutating func compare(_ group: Group, rows: [Transition], event: tcpstate_event?) throws {
    for row in rows.dropFirst(group.expected.count) {
      Issue.record("\(place(group.line)): an unexpected row \(row.old)→\(row.new)")
    }
    for (index, line) in group.expected.enumerated() {
      guard case .row(let old, let new, let named) = line.step else { continue }
      guard index < rows.count else {
        Issue.record("\(place(line)): no such row")
        continue
      }
      let row = rows[index]
      #expect(row.old == old && row.new == new, "\(place(line)): \(row.old)→\(row.new)")
      try compare(row, named, at: line, event: index == 0 && row.source == .event ? event : nil)
      remember(row, event)
    }
  }

  private func compare(
    _ row: Transition, _ named: [Substring], at line: Scenario.Line, event: tcpstate_event?
  ) throws {
    var expected: [String: String] = [:]
    for field in named {
      let parts = field.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, ScenarioRow.fields.contains(String(parts[0]))
      else { throw Scenario.Malformed("'\(field)' is no field=value") }
      expected[String(parts[0])] = try ScenarioRow.canonical(String(parts[0]), parts[1])
    }
    let defaults = ScenarioDefaults(
      previous: last[identity(row, event)], ticks: tracker.ticksPerSecond, start: Self.start)
    let role = Role.allCases.first { $0.name.description == expected["role"] }
    let other = event.map { defaults.row(of: $0, role: role) } ?? defaults.carried()
    for field in ScenarioRow.fields {
      let actual = try ScenarioRow.text(field, of: row, start: Self.start)
      let wanted = try expected[field] ?? ScenarioRow.text(field, of: other, start: Self.start)
      #expect(actual == wanted, "\(place(line)): \(field)\(expected[field] == nil ? ", which isn't named" : "")")
    }
  }

  /// The connection that a row should be of: of a record without a cookie, what its socket was before.
  private func identity(_ row: Transition, _ event: tcpstate_event?) -> UInt64 {
    guard let event else { return row.connection }
    guard event.cookie == 0 else { return event.cookie }
    return event.state_old == TCPState.closed.number ? 0 : connections[event.socket_address] ?? 0
  }

  private mutating func remember(_ row: Transition, _ event: tcpstate_event?) {
    last[row.connection] = row.new == .closed ? nil : row
    if let event, event.cookie == 0, row.source == .event { connections[event.socket_address] = row.connection }
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
      case "sought": actual = tracker.soughtOwners.any ? 1 : 0
      default: actual = tracker.openCount(try Scenario.state(parts[0]))
      }
      #expect(actual == number, "\(place(line)): \(parts[0])")
    }
  }
}
