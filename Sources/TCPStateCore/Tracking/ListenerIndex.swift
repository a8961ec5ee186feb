// SPDX-License-Identifier: Apache-2.0

/// Listeners by namespace and port: a listener's owner also owns the connections
/// that it has not yet handed to another process.
///
/// Listeners change rarely, so a change only marks the index, and the next lookup rebuilds it.
struct ListenerIndex: ~Copyable {
  private var keys: Set<UInt64> = []
  private var byPort: [UInt64: [UInt64]] = [:]
  private var isStale = false

  mutating func insert(_ key: UInt64) {
    keys.insert(key)
    isStale = true
  }

  mutating func remove(_ key: UInt64) {
    keys.remove(key)
    isStale = true
  }

  /// The keys of the listeners on that port.
  mutating func listeners(on port: UInt16, netns: UInt32, in table: borrowing ConnectionTable) -> [UInt64] {
    if isStale { build(table) }
    return byPort[Self.place(port, netns)] ?? []
  }

  private mutating func build(_ table: borrowing ConnectionTable) {
    byPort.removeAll(keepingCapacity: true)
    for key in keys {
      guard let listener = table.find(key) else { continue }
      byPort[Self.place(listener.pointee.local.port, listener.pointee.netns), default: []].append(key)
    }
    isStale = false
  }

  private static func place(_ port: UInt16, _ netns: UInt32) -> UInt64 { UInt64(netns) << 16 | UInt64(port) }
}
