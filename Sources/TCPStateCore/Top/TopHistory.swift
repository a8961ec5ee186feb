/// The states that open connections have been through: what their lanes are drawn from.
public struct TopHistory: Sendable {
  /// More than a connection passes between opening and TIME-WAIT.
  private static let limit = 8

  private var stays: [UInt64: [TopStay]] = [:]

  /// Whose connections are kept; `nil` for all.
  private let localPorts: PortSet?

  public init(localPorts: PortSet? = nil) {
    self.localPorts = localPorts
  }

  /// Connections that something is kept of.
  public var count: Int { stays.count }

  /// Whether so much is kept that some of it must be of connections whose end nobody tells: those that aren't
  /// tracked any more, or whose TIME-WAIT is out of sight.
  ///
  /// - Parameter tracked: how many connections there are.
  public func isOverfull(tracked: Int) -> Bool { stays.count > 2 * tracked + 1024 }

  /// Forgets all but these connections.
  public mutating func keep(_ open: Set<UInt64>) {
    stays = stays.filter { open.contains($0.key) }
  }

  /// Takes in a transition: the stay that it ended.
  public mutating func receive(_ row: borrowing Transition) {
    guard row.new != .closed else {
      stays[row.connection] = nil
      return
    }
    if let localPorts, !localPorts.contains(row.local.port) { return }
    guard row.old != .closed, row.old != .listen, let stay = row.stay, row.old != row.new else { return }
    var past = stays[row.connection] ?? []
    if past.count == Self.limit { past.removeFirst() }
    past.append(TopStay(state: row.old, nanoseconds: stay.nanoseconds))
    stays[row.connection] = past
  }

  public func past(of connection: UInt64) -> [TopStay] { stays[connection] ?? [] }
}
