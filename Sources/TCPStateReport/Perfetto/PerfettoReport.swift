// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Connections as a trace for the Perfetto UI: one track per connection below its process, a slice per stay,
/// arrows between both ends on this host, and sockets per state as counters.
///
/// Events are written when stays end, so memory depends on the number of open connections, and a
/// truncated file still opens. Stays that began before the trace are drawn from its beginning.
public struct PerfettoReport: ReportDocument, ~Copyable {
  private struct Connection {
    var number: UInt64
    /// The last row, filled from earlier ones.
    var facts: Transition
    var track: PerfettoTrack?
    var isWanted = false
    /// Where the next slice may begin.
    var drawnUntil: UInt64 = 0
    /// When it entered `facts.new`.
    var entered: UInt64
    /// Slices held back until the owner is known: until then a child has its listener's.
    var held: [PerfettoSlice] = []
  }

  private let filter: RowFilter
  private var writer = PerfettoWriter()
  private var flows = PerfettoFlows()
  private var counters = PerfettoCounters()
  private var connections: [UInt64: Connection] = [:]
  /// Processes whose names have been written.
  private var named: Set<UInt64> = []
  private var seen: UInt64 = 0
  private var origin: UInt64?
  private var end: UInt64 = 0
  /// Joins the two ends of each connection, as on the page, so that they count as one, and listeners not at all.
  private var lives = LifecycleTracker(waitsForTimeWait: true, takesFound: true, limit: 1 << 18)
  private let counts: (Lifecycle) -> Bool
  public private(set) var count: UInt64 = 0

  /// - Parameters:
  ///   - filter: which connections are drawn, and which of their stays.
  ///   - counts: whether a connection counts.
  public init(filter: RowFilter = RowFilter(), counts: @escaping (Lifecycle) -> Bool = { _ in true }) {
    self.filter = filter
    self.counts = counts
  }

  /// Writes nothing yet, because the trace begins with the first row.
  public mutating func begin(to buffer: inout ByteBuffer) {}

  public mutating func receive(_ row: Transition, lossBefore: UInt64, to buffer: inout ByteBuffer) {
    let isFound = row.old == row.new
    let counts = counts
    var ended: UInt64 = 0
    lives.apply(row) { if counts($0) { ended += 1 } }
    count += ended
    if origin == nil, !isFound { start(at: row.time, to: &buffer) }
    if lossBefore > 0 {
      writer.append(
        instant: "\(NumberText.string(lossBefore)) event\(lossBefore == 1 ? "" : "s") lost", at: row.time, on: .host,
        scope: "g", to: &buffer)
    }
    if row.isLossMarker { return }
    flows.learn(row)
    if !isFound {
      end = max(end, row.time)
      counters.advance(to: row.time, &writer, &buffer)
    }
    let known = connections[row.connection]
    counters.move(from: known?.facts.new, to: row.new)
    var connection = known ?? Connection(number: seen, facts: row, entered: row.time)
    if known == nil { seen += 1 }
    var facts = row
    facts.fill(from: connection.facts)
    connection.facts = facts
    if known == nil || !isFound { connection.entered = row.time }
    connection.isWanted = connection.isWanted || filter.wants(connection.facts)
    if let stay = row.stay, !isFound, filter.shows(row) {
      connection.held.append(slice(row, stay, after: connection.drawnUntil))
      connection.drawnUntil = max(connection.drawnUntil, row.time)
    }
    if !isFound, !Self.isOpening(row.new) { draw(&connection, to: &buffer) }
    if row.new == .closed {
      close(connection, row, to: &buffer)
      connections[row.connection] = nil
    } else {
      connections[row.connection] = connection
    }
  }

  /// Draws stays that continue until the last row.
  public mutating func finish(to buffer: inout ByteBuffer) {
    if origin == nil { start(at: connections.values.map(\.entered).max(), to: &buffer) }
    for key in connections.keys.sorted(by: { number(of: $0) < number(of: $1) }) {
      guard var connection = connections[key] else { continue }
      let start = max(connection.entered, connection.drawnUntil, origin ?? 0)
      connection.held.append(
        PerfettoSlice(state: connection.facts.new, start: start, end: max(end, start)))
      draw(&connection, to: &buffer)
    }
    connections = [:]
    let counts = counts
    var left: UInt64 = 0
    lives.finish { if counts($0) { left += 1 } }
    count += left
    counters.write(&writer, &buffer)
    writer.end(to: &buffer)
  }

  private func number(of key: UInt64) -> UInt64 { connections[key]?.number ?? 0 }

  private mutating func start(at time: UInt64?, to buffer: inout ByteBuffer) {
    origin = time
    writer.begin(origin: time, to: &buffer)
    if let time { counters.advance(to: time, &writer, &buffer) }
  }

  /// Whether the accepting process may not have touched a connection in this state yet.
  private static func isOpening(_ state: TCPState) -> Bool {
    state == .synSent || state == .synReceived || state == .established
  }

  /// Makes a slice. A track's slices must not overlap, although derived stays may by a millisecond.
  private func slice(_ row: Transition, _ stay: Stay, after limit: UInt64) -> PerfettoSlice {
    let begin = row.time - min(row.time, stay.nanoseconds)
    let start = max(begin, limit, origin ?? 0)
    var slice = PerfettoSlice(state: row.old, start: start, end: max(start, row.time), stay: stay, next: row.new)
    if let pid = row.actorPID { slice.actor = OwnerText.string(name: row.actorName, pid: pid) }
    slice.bytesSent = row.bytesSent
    slice.bytesReceived = row.bytesReceived
    return slice
  }

  // MARK: - Writing

  private mutating func draw(_ connection: inout Connection, to buffer: inout ByteBuffer) {
    guard connection.isWanted, !connection.held.isEmpty else {
      return connection.held.removeAll()
    }
    let track = track(of: &connection, to: &buffer)
    for slice in connection.held {
      writer.append(slice, of: connection.facts.connection, on: track, to: &buffer)
      if let flow = flows.match(slice, on: track, of: connection.facts) {
        writer.append(flow: flow.id, flow.kind.name, from: flow.from, to: flow.to, in: &buffer)
      }
    }
    connection.held.removeAll()
  }

  private mutating func close(_ connection: Connection, _ row: Transition, to buffer: inout ByteBuffer) {
    guard connection.isWanted, filter.shows(row) else { return }
    var connection = connection
    let track = track(of: &connection, to: &buffer)
    let why = row.reason.map { ": \($0.words)" } ?? ""
    writer.append(
      instant: TCPState.closed.name(.rfc) + why, at: max(row.time, connection.drawnUntil), on: track, scope: "t",
      to: &buffer)
  }

  private mutating func track(of connection: inout Connection, to buffer: inout ByteBuffer) -> PerfettoTrack {
    if let track = connection.track { return track }
    let facts = connection.facts
    // A track can't be moved later to the process that has the connection.
    let owner = facts.ownerKind == .inherited ? nil : facts.ownerPID
    let track = PerfettoTrack(pid: owner, number: connection.number)
    connection.track = track
    if named.insert(track.pid).inserted {
      let name =
        owner == nil ? "owner unknown" : NameText.visibleString(ShortName(facts.ownerName.description))
      writer.append(metadata: "process_name", track, Self.json(name), to: &buffer)
    }
    writer.append(metadata: "thread_name", track, Self.json(Self.title(facts)), to: &buffer)
    writer.append(metadata: "thread_sort_index", track, "\(connection.number)", key: "sort_index", to: &buffer)
    return track
  }

  private static func title(_ facts: Transition) -> String {
    let local = EndpointText.string(facts.local)
    switch facts.role {
    case .listener: return "\(local) listens"
    case .server: return "\(local) ← \(EndpointText.string(facts.peer))"
    case .client: return "\(local) → \(EndpointText.string(facts.peer))"
    case .unknown: return "\(local) – \(EndpointText.string(facts.peer))"
    }
  }

  private static func json(_ text: String) -> String {
    var buffer = ByteBuffer(capacity: 128)
    buffer.append(json: text)
    return buffer.text
  }
}
