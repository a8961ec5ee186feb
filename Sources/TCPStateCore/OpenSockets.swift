/// Which sockets are open, and in which state, told by the rows alone: the same rows, live or
/// from a recording, give the same answer.
///
/// A socket is open from its first row until the row that closes it. Each belongs to a group
/// of the caller's, that of its latest row.
public struct OpenSockets: ~Copyable {
  private struct Entry {
    var connection: UInt64 = 0
    var group: Int32 = 0
    /// The state it is in; 0 when the entry is free.
    var state: UInt8 = 0
    /// The state it must have been in before its first row here; 0 when that says nothing.
    var before: UInt8 = 0
    /// Kept for what it says about the rows before.
    var isClosed = false
  }

  /// A part of a recording knows nothing of the rows before it: it also keeps which were closed.
  private let isPart: Bool
  private var entries: UnsafeMutablePointer<Entry>
  /// A power of two.
  private var capacity: Int
  private var used = 0
  /// Rows whose old state wasn't the one that their socket was in.
  public private(set) var unmatched: UInt64 = 0

  /// - Parameter isPart: of a recording, to be merged with what comes before it.
  public init(isPart: Bool = false) {
    self.isPart = isPart
    // A part of some megabytes sees so many.
    capacity = isPart ? 32_768 : 1024
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: Entry(), count: capacity)
  }

  deinit { entries.deallocate() }

  /// Takes in the next row.
  @inline(__always)
  public mutating func apply(_ row: borrowing Transition, group: Int32 = 0) {
    let place = place(of: row.connection)
    let isFound = row.isFound
    if entries[place].state == 0 {
      if row.new == .closed, !isPart { return }
      entries[place].connection = row.connection
      entries[place].before = isFound ? 0 : row.old.number
      used += 1
    } else if !entries[place].isClosed, !isFound, entries[place].state != row.old.number {
      unmatched += 1
    }
    settle(place, row.new.number, group)
  }

  /// The caller has lost interest in the socket.
  public mutating func forget(_ connection: UInt64) {
    let place = place(of: connection)
    if entries[place].state == 0 {
      guard isPart else { return }
      entries[place].connection = connection
      entries[place].before = 0
      used += 1
    }
    settle(place, TCPState.closed.number, 0)
  }

  private mutating func settle(_ place: Int, _ state: UInt8, _ group: Int32) {
    if state == TCPState.closed.number, !isPart { return remove(place) }
    entries[place].state = state
    entries[place].group = group
    entries[place].isClosed = state == TCPState.closed.number
    if used * 4 > capacity * 3 { grow() }
  }

  /// Takes in the rows of the part that comes next.
  ///
  /// - Parameter groups: this one's number of each of the part's groups.
  public mutating func merge(_ part: borrowing OpenSockets, groups: [Int32]) {
    unmatched += part.unmatched
    for index in 0..<part.capacity where part.entries[index].state != 0 {
      let next = part.entries[index]
      let place = place(of: next.connection)
      if entries[place].state == 0 {
        if next.isClosed { continue }
        entries[place].connection = next.connection
        used += 1
      } else if next.before != 0, entries[place].state != next.before {
        unmatched += 1
      }
      settle(place, next.state, groups[Int(next.group)])
    }
  }

  /// Forgets all, and keeps the memory.
  public mutating func removeAll() {
    entries.update(repeating: Entry(), count: capacity)
    used = 0
    unmatched = 0
  }

  public func forEach(_ body: (_ state: TCPState, _ group: Int32) -> Void) {
    for index in 0..<capacity where entries[index].state != 0 && !entries[index].isClosed {
      body(TCPState(number: entries[index].state), entries[index].group)
    }
  }

  /// How many are open in each state, by `TCPState.number`.
  public var counts: [UInt64] {
    var counts = [UInt64](repeating: 0, count: 256)
    forEach { state, _ in counts[Int(state.number)] += 1 }
    return counts
  }

  // MARK: - The table: open addressing, without tombstones

  /// Where the socket is, or would be.
  @inline(__always)
  private func place(of connection: UInt64) -> Int {
    var place = home(of: connection)
    while entries[place].state != 0, entries[place].connection != connection { place = (place + 1) & (capacity - 1) }
    return place
  }

  @inline(__always)
  private func home(of connection: UInt64) -> Int {
    // Fibonacci hashing: ids are counted up.
    Int(truncatingIfNeeded: (connection &* 0x9e37_79b9_7f4a_7c15) >> 32) & (capacity - 1)
  }

  private mutating func remove(_ place: Int) {
    var gap = place
    var next = (gap + 1) & (capacity - 1)
    // Move up whatever would no longer be reached across the gap.
    while entries[next].state != 0 {
      let home = home(of: entries[next].connection)
      if (next - home) & (capacity - 1) >= (next - gap) & (capacity - 1) {
        entries[gap] = entries[next]
        gap = next
      }
      next = (next + 1) & (capacity - 1)
    }
    entries[gap] = Entry()
    used -= 1
  }

  private mutating func grow() {
    let old = entries
    let count = capacity
    capacity = count * 2
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: Entry(), count: capacity)
    for index in 0..<count where old[index].state != 0 { entries[place(of: old[index].connection)] = old[index] }
    old.deallocate()
  }
}
