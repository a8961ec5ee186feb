// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Connections by key, and minisocks by their addresses as well, in chunks that
/// never move: growing to a million copies none of them, and a pointer stays
/// valid until its connection is removed.
public struct ConnectionTable: ~Copyable {
  private static let chunkShift = 12
  private static let chunkSize = 1 << chunkShift

  private var chunks: [UnsafeMutablePointer<Connection>] = []
  private var byKey = SlotIndex(capacity: 1024)
  private var minisocksByTuple = SlotIndex(capacity: 64)
  /// Free slots, which are reused first.
  private var free: [UInt32] = []
  private var used = 0
  /// Where `nextTimeWait` looks next.
  private var hand: UInt32 = 0
  /// Stands in for a connection that is not kept.
  private let spare: UnsafeMutablePointer<Connection> = .allocate(capacity: 1)
  public private(set) var count = 0
  public private(set) var minisockCount = 0

  public init() {}

  deinit {
    for chunk in chunks { chunk.deallocate() }
    spare.deallocate()
  }

  /// Bytes allocated, for reports of memory use.
  public var allocatedBytes: Int {
    chunks.count * Self.chunkSize * MemoryLayout<Connection>.stride + byKey.allocatedBytes
      + minisocksByTuple.allocatedBytes + free.capacity * MemoryLayout<UInt32>.stride
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt32 {
    let product = (value ^ value >> 32) &* 0x9e37_79b9_7f4a_7c15
    return UInt32(truncatingIfNeeded: product >> 32)
  }

  private static func tupleHash(_ local: Endpoint, _ peer: Endpoint, _ netns: UInt32) -> UInt32 {
    let addresses = local.address.low &* 31 &+ local.address.high &+ (peer.address.low &* 31 &+ peer.address.high) &* 17
    let ports = UInt64(local.port) << 16 | UInt64(peer.port)
    return mix(addresses ^ ports << 20 ^ UInt64(netns))
  }

  @inline(__always)
  private func pointer(_ slot: UInt32) -> UnsafeMutablePointer<Connection> {
    chunks[Int(slot) >> Self.chunkShift] + (Int(slot) & (Self.chunkSize - 1))
  }

  @inline(__always)
  private func slot(_ key: UInt64) -> UInt32? {
    byKey.find(Self.mix(key)) { pointer($0).pointee.key == key }
  }

  /// The connection. The pointer is valid until it is removed or the table is destroyed.
  public func find(_ key: UInt64) -> UnsafeMutablePointer<Connection>? {
    slot(key).map { pointer($0) }
  }

  /// Prefetches the memory that finding the connection needs first.
  @inline(__always)
  func prefetchIndex(_ key: UInt64) { byKey.prefetch(Self.mix(key)) }

  /// Prefetches the connection itself; call it some time after `prefetchIndex`.
  @inline(__always)
  func prefetchConnection(_ key: UInt64) {
    guard let slot = byKey.guess(Self.mix(key)) else { return }
    let connection = UnsafeRawPointer(pointer(slot))
    tcpstate_prefetch(connection)
    tcpstate_prefetch(connection + 64)
    tcpstate_prefetch(connection + 128)
  }

  /// Prefetches the memory in which minisocks with these addresses are found or kept.
  @inline(__always)
  func prefetchMinisock(local: Endpoint, peer: Endpoint, netns: UInt32) {
    minisocksByTuple.prefetch(Self.tupleHash(local, peer, netns))
  }

  /// Adds a fresh connection under a key that isn't in the table yet.
  public mutating func insert(_ key: UInt64) -> UnsafeMutablePointer<Connection> {
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
    } else {
      if used == chunks.count << Self.chunkShift { chunks.append(.allocate(capacity: Self.chunkSize)) }
      slot = UInt32(used)
      used += 1
    }
    let connection = pointer(slot)
    connection.initialize(to: Connection())
    connection.pointee.key = key
    byKey.insert(Self.mix(key), slot)
    count += 1
    return connection
  }

  /// A fresh connection outside the table, valid until the next call of this method.
  public mutating func unkept(_ key: UInt64) -> UnsafeMutablePointer<Connection> {
    spare.initialize(to: Connection())
    spare.pointee.key = key
    return spare
  }

  /// Whether the connection is the one that `unkept` returned.
  @inline(__always)
  public func isUnkept(_ connection: UnsafeMutablePointer<Connection>) -> Bool { connection == spare }

  /// A connection in TIME-WAIT, a different one each time; `nil` if a short search finds none.
  public mutating func nextTimeWait() -> UnsafeMutablePointer<Connection>? {
    guard minisockCount > 0 else { return nil }
    for _ in 0..<256 {
      if hand >= UInt32(used) { hand = 0 }
      let candidate = pointer(hand)
      hand += 1
      if candidate.pointee.key != 0, candidate.pointee.flags.contains(.minisock), candidate.pointee.state == .timeWait {
        return candidate
      }
    }
    return nil
  }

  /// Removes a connection; does nothing if there is none.
  public mutating func remove(_ key: UInt64) {
    guard let slot = slot(key) else { return }
    setMinisock(pointer(slot), false)
    byKey.remove(Self.mix(key), slot)
    pointer(slot).pointee.key = 0
    free.append(slot)
    count -= 1
  }

  /// Gives a connection another key, which must not be in the table yet.
  public mutating func rekey(_ connection: UnsafeMutablePointer<Connection>, to key: UInt64) {
    guard let slot = slot(connection.pointee.key) else { return }
    byKey.remove(Self.mix(connection.pointee.key), slot)
    connection.pointee.key = key
    byKey.insert(Self.mix(key), slot)
  }

  /// Marks a connection as a minisock, or as no longer one.
  public mutating func setMinisock(_ connection: UnsafeMutablePointer<Connection>, _ isMinisock: Bool) {
    guard connection.pointee.flags.contains(.minisock) != isMinisock, let slot = slot(connection.pointee.key)
    else { return }
    let hash = Self.tupleHash(connection.pointee.local, connection.pointee.peer, connection.pointee.netns)
    if isMinisock {
      connection.pointee.flags.insert(.minisock)
      minisocksByTuple.insert(hash, slot)
      minisockCount += 1
    } else {
      connection.pointee.flags.remove(.minisock)
      minisocksByTuple.remove(hash, slot)
      minisockCount -= 1
    }
  }

  /// The minisock that occupies these addresses and ports, if any.
  public func findMinisock(local: Endpoint, peer: Endpoint, netns: UInt32) -> UnsafeMutablePointer<Connection>? {
    minisocksByTuple.find(Self.tupleHash(local, peer, netns)) { slot in
      let candidate = pointer(slot)
      return candidate.pointee.local == local && candidate.pointee.peer == peer && candidate.pointee.netns == netns
    }.map { pointer($0) }
  }

  /// Visits every connection; `body` must not insert or remove.
  public func forEach(_ body: (UnsafeMutablePointer<Connection>) -> Void) {
    for slot in 0..<UInt32(used) where pointer(slot).pointee.key != 0 { body(pointer(slot)) }
  }
}
