import TCPStateCore

/// Rows that can't be judged yet.
///
/// A client's CLOSED → SYN-SENT comes before connect() has chosen the local
/// port. Under a filter of local ports such a row waits for the next one of
/// its connection, which has the port.
struct HeldRows {
  private let ports: PortSet?
  private var rows: [UInt64: Transition] = [:]

  init(ports: PortSet?) {
    self.ports = ports
  }

  /// Keeps the row back if its port isn't known yet and matters.
  mutating func holds(_ row: borrowing Transition) -> Bool {
    guard ports != nil, row.local.port == 0, row.new == .synSent else { return false }
    rows[row.connection] = copy row
    return true
  }

  /// The row that waited for this one, with the port that is known now.
  mutating func release(_ row: borrowing Transition) -> Transition? {
    guard ports != nil, var earlier = rows.removeValue(forKey: row.connection) else { return nil }
    earlier.local.port = row.local.port
    return earlier
  }
}
