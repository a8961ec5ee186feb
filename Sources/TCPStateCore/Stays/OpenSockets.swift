// SPDX-License-Identifier: Apache-2.0

/// Which sockets are open, and in which state, from the rows alone: the same rows, live or
/// from a recording, give the same answer.
///
/// A socket is open from its first row until the row that closes it. It belongs to a group
/// chosen by the caller, that of its latest row.
public struct OpenSockets: ~Copyable {
  private struct Entry {
    var connection: UInt64 = 0
    /// When it entered its state, or is known to have been in it, on the rows' clock; 0 if unknown.
    var entered: UInt64 = 0
    var group: Int32 = 0
    /// Its state's number; 0 if the entry is free.
    var state: UInt8 = 0
    var isExact = false
  }

  private var entries: UnsafeMutablePointer<Entry>
  /// A power of two.
  private var capacity = 1024
  private var used = 0
  /// Rows whose old state wasn't their socket's.
  public private(set) var unmatched: UInt64 = 0

  public init() {
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: Entry(), count: capacity)
  }

  deinit { entries.deallocate() }

  /// Applies the next row.
  @inline(__always)
  public mutating func apply(_ row: borrowing Transition, group: Int32 = 0) {
    apply(SocketStep(row, group: group))
  }

  /// Applies what a row says.
  @inline(__always)
  public mutating func apply(_ step: SocketStep) {
    let place = place(of: step.connection)
    let state = entries[place].state
    if state != 0, step.old != 0, state != step.old { unmatched += 1 }
    if step.new == TCPState.closed.number || step.new == 0 {
      if state != 0 { remove(place) }
      return
    }
    if step.old == 0, state == step.new, entries[place].entered != 0 {
      entries[place].group = step.group  // found where it was: it has been there for longer
      return
    }
    entries[place] = Entry(
      connection: step.connection, entered: step.time, group: step.group, state: step.new,
      isExact: step.isExact && step.old != 0)
    if state == 0 {
      used += 1
      if used * 4 > capacity * 3 { grow() }
    }
  }

  /// Removes a socket that the caller no longer wants.
  public mutating func forget(_ connection: UInt64) { apply(SocketStep(forgetting: connection)) }

  /// Removes the socket if it is in TIME-WAIT.
  mutating func endTimeWait(_ connection: UInt64) {
    if entries[place(of: connection)].state == TCPState.timeWait.number { forget(connection) }
  }

  public func forEach(_ body: (_ state: TCPState, _ group: Int32) -> Void) {
    for index in 0..<capacity where entries[index].state != 0 {
      body(TCPState(number: entries[index].state), entries[index].group)
    }
  }

  /// The same, with how long each has been in its state at `now`, on the rows' clock; `nil` if that isn't known.
  public func forEach(now: UInt64, _ body: (_ state: TCPState, _ group: Int32, _ age: Stay?) -> Void) {
    for index in 0..<capacity where entries[index].state != 0 {
      let entry = entries[index]
      let age: Stay? =
        entry.entered == 0
        ? nil
        : Stay(nanoseconds: now - min(entry.entered, now), kind: entry.isExact ? .exact : .atLeast)
      body(TCPState(number: entry.state), entry.group, age)
    }
  }

  /// How many sockets of a group are open in each state, by `TCPState.number`.
  public func counts(of group: Int32 = 0) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: 256)
    forEach { state, its in if its == group { counts[Int(state.number)] += 1 } }
    return counts
  }

  // MARK: - The table: open addressing without tombstones

  /// The socket's place, or the free one where it would be.
  @inline(__always)
  private func place(of connection: UInt64) -> Int {
    var place = home(of: connection)
    while entries[place].state != 0, entries[place].connection != connection { place = (place + 1) & (capacity - 1) }
    return place
  }

  @inline(__always)
  private func home(of connection: UInt64) -> Int {
    // Fibonacci hashing, because ids count up.
    Int(truncatingIfNeeded: (connection &* 0x9e37_79b9_7f4a_7c15) >> 32) & (capacity - 1)
  }

  private mutating func remove(_ place: Int) {
    var gap = place
    var next = (gap + 1) & (capacity - 1)
    // Move up every entry that a search could no longer reach across the gap.
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
