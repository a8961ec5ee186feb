// SPDX-License-Identifier: Apache-2.0

/// The states that open connections have been through, from which their lanes are drawn.
public struct TopHistory: Sendable {
  /// More states than a connection passes through between opening and TIME-WAIT.
  private static let limit = 8

  private var stays: [UInt64: [TopStay]] = [:]

  /// Only connections with these local ports are kept; `nil` means all.
  private let localPorts: PortSet?

  public init(localPorts: PortSet? = nil) {
    self.localPorts = localPorts
  }

  /// How many connections have stays here.
  public var count: Int { stays.count }

  /// Whether there are so many that some must be connections whose end isn't reported: those no longer tracked, or
  /// in a TIME-WAIT that can't be followed.
  ///
  /// - Parameter tracked: how many connections are tracked.
  public func isOverfull(tracked: Int) -> Bool { stays.count > 2 * tracked + 1024 }

  /// Forgets all connections except these.
  public mutating func keep(_ open: Set<UInt64>) {
    stays = stays.filter { open.contains($0.key) }
  }

  /// Adds the stay that a transition ended.
  public mutating func receive(_ row: borrowing Transition) {
    guard row.new != .closed else {
      stays[row.connection] = nil
      return
    }
    if let localPorts, !localPorts.contains(row.local.port) { return }
    guard row.old != .closed, row.old != .listen, let stay = row.stay, row.old != row.new else { return }
    var past = stays[row.connection] ?? []
    if past.count == Self.limit { past.removeFirst() }
    past.append(TopStay(state: row.old, nanoseconds: stay.nanoseconds, kind: stay.kind))
    stays[row.connection] = past
  }

  public func past(of connection: UInt64) -> [TopStay] { stays[connection] ?? [] }
}
