// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// How full the queues of listeners are, by process and port.
///
/// Pure. Takes one reading of the tables after the other.
package struct ListenerLoads: Sendable {
  private struct Load: Sendable {
    var process: String
    var port: String
    /// The fullest of the listeners that share a process name and a port, as SO_REUSEPORT allows: each has queues of its
    /// own, and a sum would hide the one that overflows.
    var acceptQueue: UInt64 = 0
    var acceptQueueLimit: UInt64 = 0
    var requestQueue: UInt64 = 0
    var requestQueueLimit: UInt64 = 0
    var unaccepted: UInt64 = 0

    /// Thousandths of the fuller queue that are taken.
    var fullness: UInt64 {
      max(acceptQueue * 1000 / max(acceptQueueLimit, 1), requestQueue * 1000 / max(requestQueueLimit, 1))
    }

    mutating func add(_ accept: (UInt64, UInt64), _ request: (UInt64, UInt64)) {
      if Self.isFuller(accept, than: (acceptQueue, acceptQueueLimit)) { (acceptQueue, acceptQueueLimit) = accept }
      if Self.isFuller(request, than: (requestQueue, requestQueueLimit)) { (requestQueue, requestQueueLimit) = request }
    }

    /// Whether a queue has less room in proportion; of two empty ones, whether it is the shorter one.
    private static func isFuller(_ a: (count: UInt64, limit: UInt64), than b: (count: UInt64, limit: UInt64)) -> Bool {
      let (left, right) = (a.count * max(b.limit, 1), b.count * max(a.limit, 1))
      return left != right ? left > right : b.limit == 0 || a.limit < b.limit
    }
  }

  package private(set) var top: TopSeries
  private var loads: [String: Load] = [:]
  private var collecting: [String: Load] = [:]

  package init(limit: Int) {
    top = TopSeries(limit: limit, linger: 0)
  }

  /// Adds a listener to the reading under way.
  package mutating func add(_ listener: StuckListener) {
    let key = Self.key(listener)
    var load = collecting[key] ?? Load(process: Self.process(listener), port: String(listener.local.port))
    // The backlog bounds both (inet_csk_reqsk_queue_is_full() and sk_acceptq_is_full(), include/net).
    let limit = UInt64(listener.acceptQueueLimit)
    load.add((UInt64(listener.acceptQueue), limit), (UInt64(listener.requestQueue), limit))
    collecting[key] = load
  }

  /// Counts a connection that waits in this listener's queue and that no process has accepted.
  package mutating func addUnaccepted(at listener: StuckListener) {
    collecting[Self.key(listener)]?.unaccepted += 1
  }

  private static func process(_ listener: StuckListener) -> String {
    Labels.value(of: listener.holders.min()?.name ?? ShortName())
  }

  /// No port has a slash.
  private static func key(_ listener: StuckListener) -> String { "\(listener.local.port)/\(process(listener))" }

  /// Ends the reading.
  ///
  /// - Parameter now: nanoseconds, on a clock that is never set.
  package mutating func finish(now: UInt64) {
    loads = collecting
    collecting = [:]
    // Each listener has a score, so that all are shown as long as there is room.
    top.choose(loads.mapValues { 1 + $0.fullness }, now: now)
  }

  package func write(to page: inout Exposition) {
    var rows = top.members.compactMap { loads[$0] }
    var other = Load(process: Labels.other, port: Labels.other)
    for (key, load) in loads where !top.contains(key) {
      other.add((load.acceptQueue, load.acceptQueueLimit), (load.requestQueue, load.requestQueueLimit))
      other.unaccepted += load.unaccepted
    }
    if rows.count < loads.count { rows.append(other) }
    let labels = rows.map { Labels(["process": $0.process, "port": $0.port]) }
    func write(_ family: MetricFamily, _ value: KeyPath<Load, UInt64>) {
      page.begin(family)
      for (row, labels) in zip(rows, labels) { page.add(labels, row[keyPath: value]) }
    }
    write(MetricFamilies.acceptQueue, \.acceptQueue)
    write(MetricFamilies.acceptQueueLimit, \.acceptQueueLimit)
    write(MetricFamilies.requestQueue, \.requestQueue)
    write(MetricFamilies.requestQueueLimit, \.requestQueueLimit)
    write(MetricFamilies.unaccepted, \.unaccepted)
  }
}
