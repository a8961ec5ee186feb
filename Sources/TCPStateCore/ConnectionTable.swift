/// Connections by key: open addressing over chunks that never move, so that
/// growing to a million never copies them and a pointer stays valid until its
/// connection is removed.
public struct ConnectionTable: ~Copyable {
  private static let chunkShift = 12
  private static let chunkSize = 1 << chunkShift

  private var chunks: [UnsafeMutablePointer<Connection>] = []
  /// High half: hash; low half: slot + 1, 0 when free.
  private var index: UnsafeMutablePointer<UInt64>
  private var mask: Int
  /// Slots given back, to be used again first.
  private var free: [UInt32] = []
  private var used = 0
  public private(set) var count = 0

  public init() {
    let capacity = 1024
    index = .allocate(capacity: capacity)
    index.initialize(repeating: 0, count: capacity)
    mask = capacity - 1
  }

  deinit {
    index.deallocate()
    for chunk in chunks { chunk.deallocate() }
  }

  /// Bytes held, for statements about memory.
  public var allocatedBytes: Int {
    chunks.count * Self.chunkSize * MemoryLayout<Connection>.stride
      + (mask + 1) * MemoryLayout<UInt64>.stride + free.capacity * MemoryLayout<UInt32>.stride
  }

  @inline(__always)
  private static func hash(_ key: UInt64) -> UInt64 {
    let product = (key ^ key >> 32) &* 0x9e37_79b9_7f4a_7c15
    return product ^ product >> 29
  }

  @inline(__always)
  private func pointer(_ slot: UInt32) -> UnsafeMutablePointer<Connection> {
    chunks[Int(slot) >> Self.chunkShift] + (Int(slot) & (Self.chunkSize - 1))
  }

  /// The connection, valid until it is removed or the table goes away.
  public func find(_ key: UInt64) -> UnsafeMutablePointer<Connection>? {
    let hash = Self.hash(key)
    let tag = hash & 0xffff_ffff_0000_0000
    var position = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = index[position]
      if entry == 0 { return nil }
      if entry & 0xffff_ffff_0000_0000 == tag {
        let candidate = pointer(UInt32(truncatingIfNeeded: entry) - 1)
        if candidate.pointee.key == key { return candidate }
      }
      position = (position + 1) & mask
    }
  }

  /// A fresh connection under a key that isn't in the table yet.
  public mutating func insert(_ key: UInt64) -> UnsafeMutablePointer<Connection> {
    if (count + 1) * 4 > (mask + 1) * 3 { grow() }
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
    } else {
      if used == chunks.count << Self.chunkShift {
        chunks.append(.allocate(capacity: Self.chunkSize))
      }
      slot = UInt32(used)
      used += 1
    }
    let connection = pointer(slot)
    connection.initialize(to: Connection())
    connection.pointee.key = key
    place(Self.hash(key), slot)
    count += 1
    return connection
  }

  private func place(_ hash: UInt64, _ slot: UInt32) {
    var position = Int(truncatingIfNeeded: hash) & mask
    while index[position] != 0 { position = (position + 1) & mask }
    index[position] = hash & 0xffff_ffff_0000_0000 | UInt64(slot + 1)
  }

  private mutating func grow() {
    let oldIndex = index
    let oldCapacity = mask + 1
    index = .allocate(capacity: oldCapacity * 2)
    index.initialize(repeating: 0, count: oldCapacity * 2)
    mask = oldCapacity * 2 - 1
    for position in 0..<oldCapacity where oldIndex[position] != 0 {
      let slot = UInt32(truncatingIfNeeded: oldIndex[position]) - 1
      place(Self.hash(pointer(slot).pointee.key), slot)
    }
    oldIndex.deallocate()
  }

  /// Removes a connection; nothing happens if it isn't there.
  public mutating func remove(_ key: UInt64) {
    let hash = Self.hash(key)
    var position = Int(truncatingIfNeeded: hash) & mask
    while true {
      let entry = index[position]
      if entry == 0 { return }
      let slot = UInt32(truncatingIfNeeded: entry) &- 1
      if pointer(slot).pointee.key == key {
        free.append(slot)
        break
      }
      position = (position + 1) & mask
    }
    count -= 1
    // Close the gap, so that no tombstones slow the searches down.
    var gap = position
    var next = (gap + 1) & mask
    while index[next] != 0 {
      let slot = UInt32(truncatingIfNeeded: index[next]) - 1
      let home = Int(truncatingIfNeeded: Self.hash(pointer(slot).pointee.key)) & mask
      if (next &- home) & mask >= (next &- gap) & mask {
        index[gap] = index[next]
        gap = next
      }
      next = (next + 1) & mask
    }
    index[gap] = 0
  }

  /// Visits every connection; `body` must not insert or remove.
  public func forEach(_ body: (UnsafeMutablePointer<Connection>) -> Void) {
    for position in 0...mask where index[position] != 0 {
      body(pointer(UInt32(truncatingIfNeeded: index[position]) - 1))
    }
  }
}
