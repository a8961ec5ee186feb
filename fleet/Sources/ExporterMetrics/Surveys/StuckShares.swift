// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Which processes, or which containers, have stuck connections: how many in each state, and how old the oldest is.
///
/// Pure. Takes one reading of the tables after the other.
package struct StuckShares: Sendable {
  /// The stuck connections of one subject in one state.
  struct Share: Sendable {
    var count: UInt64 = 0
    /// Nanoseconds; 0 if there is none.
    var oldest: UInt64 = 0

    mutating func add(_ age: UInt64) {
      count += 1
      oldest = max(oldest, age)
    }

    mutating func add(_ other: Share) {
      count += other.count
      oldest = max(oldest, other.oldest)
    }
  }

  /// What the subjects are.
  package enum Subject: Sendable {
    case process, container

    var label: String { self == .process ? "process" : "container" }
    var count: MetricFamily { self == .process ? MetricFamilies.stuck : MetricFamilies.stuckContainers }
    var oldest: MetricFamily { self == .process ? MetricFamilies.stuckAge : MetricFamilies.stuckContainerAge }
  }

  /// Nanoseconds for which a subject without stuck connections keeps its series: alerts are resolved by a zero.
  private static let linger: UInt64 = 600_000_000_000

  private let subject: Subject
  private let states: [TCPState]
  package private(set) var top: TopSeries
  /// By subject, then by the place in `states`.
  private var shares: [String: [Share]] = [:]
  private var collecting: [String: [Share]] = [:]

  /// - Parameter states: those that are looked for.
  package init(_ subject: Subject, states: [TCPState], limit: Int) {
    self.subject = subject
    self.states = states
    top = TopSeries(limit: limit, linger: Self.linger)
  }

  /// Adds a stuck connection to the reading under way.
  ///
  /// - Parameters:
  ///   - subjects: whose it is, each once.
  ///   - age: how long it has been in its state at least, nanoseconds.
  package mutating func add(_ state: TCPState, of subjects: Set<String>, age: UInt64) {
    guard let place = states.firstIndex(of: state) else { return }
    let none = [Share](repeating: Share(), count: states.count)
    for subject in subjects { collecting[subject, default: none][place].add(age) }
  }

  /// Ends the reading.
  ///
  /// - Parameter now: nanoseconds, on a clock that is never set.
  package mutating func finish(now: UInt64) {
    shares = collecting
    collecting = [:]
    top.choose(shares.mapValues { $0.reduce(0) { $0 + $1.count } }, now: now)
  }

  package func write(to page: inout Exposition) {
    var rows = top.members.map { (name: $0, shares: shares[$0]) }
    var other = [Share](repeating: Share(), count: states.count)
    for (name, its) in shares where !top.contains(name) {
      for place in its.indices { other[place].add(its[place]) }
    }
    rows.append((Labels.other, other))
    page.begin(subject.count)
    forEach(rows) { page.add($0, $1.count) }
    page.begin(subject.oldest)
    forEach(rows) { if $1.count > 0 { page.add($0, nanoseconds: $1.oldest) } }
  }

  private func forEach(_ rows: [(name: String, shares: [Share]?)], _ body: (Labels, Share) -> Void) {
    for row in rows {
      for (place, state) in states.enumerated() {
        body(Labels([subject.label: row.name, "state": state.name(.openTelemetry)]), row.shares?[place] ?? Share())
      }
    }
  }
}
