// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Rows that can't be judged yet.
///
/// A client's CLOSED → SYN-SENT comes before connect() has chosen the local
/// port. Under a filter of local ports such a row waits for the next one of
/// its connection, which has the port; and if that takes long, for a reading of the
/// sockets that are connecting.
struct HeldRows {
  /// How long a row waits before it is looked after: it must not be 100 ms late.
  private static let patience: UInt64 = 60_000_000
  /// Sockets are read at most so often.
  private static let interval: UInt64 = 500_000_000

  private let ports: PortSet?
  /// Whether the peer's port is as good as the local one.
  private let isEither: Bool
  private var rows: [UInt64: Transition] = [:]
  private var lastReading: UInt64 = 0

  var isEmpty: Bool { rows.isEmpty }

  init(_ filter: RowFilter) {
    ports = filter.localPorts ?? filter.eitherPorts
    isEither = filter.localPorts == nil
  }

  /// Keeps the row back if its port isn't known yet and matters.
  // Inlined, because a row is copied for each call, and few get beyond the guard.
  @inline(__always)
  mutating func holds(_ row: borrowing Transition) -> Bool {
    guard let ports, row.local.port == 0, row.new == .synSent else { return false }
    return keeps(row, ports)
  }

  private mutating func keeps(_ row: borrowing Transition, _ ports: PortSet) -> Bool {
    if isEither, ports.contains(row.peer.port) { return false }
    rows[row.connection] = copy row
    return true
  }

  /// The row that waited for this one, with the port that is known now.
  mutating func release(_ row: borrowing Transition) -> Transition? {
    release(row.connection, port: row.local.port)
  }

  mutating func release(_ connection: UInt64, port: UInt16) -> Transition? {
    guard !rows.isEmpty, var earlier = rows.removeValue(forKey: connection) else { return nil }
    earlier.local.port = port
    return earlier
  }

  /// Whether some have waited long enough to be looked after; `now` is on the rows' clock.
  mutating func needReading(now: UInt64) -> Bool {
    guard !rows.isEmpty, now &- lastReading > Self.interval,
      rows.values.contains(where: { now > $0.time + Self.patience })
    else { return false }
    lastReading = now
    return true
  }

  /// After a reading: what it didn't find is no longer connecting, and wasn't wanted.
  mutating func dropOlder(than time: UInt64) {
    rows = rows.filter { $0.value.time >= time }
  }
}
