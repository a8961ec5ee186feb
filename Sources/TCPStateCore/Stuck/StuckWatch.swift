// SPDX-License-Identifier: Apache-2.0

/// Watches sockets in certain states and finds out when each has been there too long.
///
/// Pure. All times are CLOCK_MONOTONIC nanoseconds.
public struct StuckWatch: Sendable {
  private struct Watched {
    var state: TCPState
    var entered: UInt64
    var isExact: Bool
    /// Whether it was in its state before watching began.
    var isOlder = false
    /// The socket as reported when it crossed the threshold.
    var reported: StuckSocket?
    /// When a reading last found it in its state.
    var seen: UInt64 = 0
    /// Whether the last reading didn't find it, although no transition has shown that it left.
    var isMissing = false
  }

  public let query: StuckQuery
  /// The maximum number of sockets watched.
  public let limit: Int
  private var watched: [UInt64: Watched] = [:]
  /// No socket is due before this time.
  public private(set) var nextDue = UInt64.max
  /// Sockets that have crossed the threshold.
  public private(set) var crossed = 0
  /// Of these, how many shouldn't have: in TIME-WAIT only an age that was asked for is too much.
  public private(set) var troubling = 0
  /// Of these, how many have left the state since.
  public private(set) var ended = 0
  /// How many times a socket wasn't watched because of `limit`.
  public private(set) var crowdedOut = 0

  public init(_ query: StuckQuery, limit: Int = ConnectionTracker.defaultLimit) {
    self.query = query
    self.limit = limit
  }

  /// Sockets watched now.
  public var count: Int { watched.count }

  /// Watches the sockets of a reading made at `time`, which must contain all wanted ones, however young.
  public mutating func adopt(_ reading: borrowing StuckReading, at time: UInt64) {
    for socket in reading.sockets where watched[socket.connection] == nil {
      let entered = time - min(socket.age?.nanoseconds ?? 0, time)
      enter(socket.connection, socket.state, at: entered, exactly: socket.age?.kind == .exact)
      watched[socket.connection]?.isOlder = true
    }
  }

  /// Applies a transition made at `time`.
  ///
  /// - Returns: the socket as reported, with its complete stay, if it had crossed the threshold.
  public mutating func receive(_ row: borrowing Transition, at time: UInt64) -> StuckSocket? {
    if row.old == row.new, watched[row.connection]?.state == row.new { return nil }
    var left: StuckSocket?
    if row.old != row.new, let known = watched.removeValue(forKey: row.connection), var socket = known.reported {
      ended += 1
      socket.age = Stay(
        nanoseconds: time - min(known.entered, time), kind: known.isExact ? .exact : .atLeast)
      // What it waited for is past, and so are its bounds.
      (socket.atMost, socket.cause, socket.activities) = (nil, nil, [])
      left = socket
    }
    if query.states.contains(row.new) { enter(row.connection, row.new, at: time, exactly: row.source == .event) }
    return left
  }

  private mutating func enter(_ connection: UInt64, _ state: TCPState, at time: UInt64, exactly: Bool) {
    guard watched.count < limit || watched[connection] != nil else {
      crowdedOut += 1
      return
    }
    watched[connection] = Watched(state: state, entered: time, isExact: exactly, reported: nil)
    nextDue = min(nextDue, deadline(since: time))
  }

  /// Whether a reading is needed because sockets may be due at `now`.
  public mutating func isDue(_ now: UInt64) -> Bool {
    guard nextDue <= now else { return false }
    nextDue = earliest()
    return nextDue <= now
  }

  /// A threshold beyond the clock's range is never reached.
  private func deadline(since entered: UInt64) -> UInt64 { entered.saturatingAdding(query.olderThan) }

  private func earliest() -> UInt64 {
    var earliest = UInt64.max
    for entry in watched.values where entry.reported == nil {
      earliest = min(earliest, deadline(since: entry.entered))
    }
    return earliest
  }

  /// Reported sockets that have left the state without a transition, as an untracked one can after a loss: neither
  /// `reading` nor the reading before, a while ago, found them there. Their ages are as of when one last did.
  public mutating func takeVanished(_ now: UInt64, from reading: borrowing StuckReading) -> [StuckSocket] {
    let present = Self.byConnection(reading)
    var left: [StuckSocket] = []
    for (connection, entry) in watched {
      guard var socket = entry.reported else { continue }
      if present[connection]?.state == entry.state {
        watched[connection]?.seen = now
        watched[connection]?.isMissing = false
      } else if entry.isMissing {
        socket.age = Stay(nanoseconds: entry.seen - min(entry.entered, entry.seen), kind: .atLeast)
        (socket.atMost, socket.cause, socket.activities) = (nil, nil, [])
        left.append(socket)
        watched[connection] = nil
      } else {
        watched[connection]?.isMissing = true
      }
    }
    ended += left.count
    return left
  }

  /// The reported sockets that are still there at `now`.
  public func present(now: UInt64) -> StuckReading {
    var reading = StuckReading()
    for entry in watched.values {
      guard var socket = entry.reported else { continue }
      socket.age = Stay(nanoseconds: now - min(entry.entered, now), kind: entry.isExact ? .exact : .atLeast)
      reading.sockets.append(socket)
    }
    reading.sort()
    return reading
  }

  private static func byConnection(_ reading: borrowing StuckReading) -> [UInt64: StuckSocket] {
    var present: [UInt64: StuckSocket] = [:]
    for socket in reading.sockets { present[socket.connection] = socket }
    return present
  }

  /// The sockets that have just crossed the threshold, the oldest first, as `reading` describes them.
  ///
  /// Sockets that are no longer in the reading, or not wanted, are no longer watched.
  public mutating func takeDue(_ now: UInt64, from reading: borrowing StuckReading) -> [StuckSocket] {
    let present = Self.byConnection(reading)
    var due: [StuckSocket] = []
    for (connection, entry) in watched where entry.reported == nil && deadline(since: entry.entered) <= now {
      guard var socket = present[connection], socket.state == entry.state else {
        watched[connection] = nil
        continue
      }
      socket.age = Stay(nanoseconds: now - min(entry.entered, now), kind: entry.isExact ? .exact : .atLeast)
      if entry.isExact { socket.atMost = nil }
      socket.isOlder = entry.isOlder
      if socket.state != .timeWait || query.olderThan > 0 { troubling += 1 }
      watched[connection]?.reported = socket
      watched[connection]?.seen = now
      due.append(socket)
    }
    crossed += due.count
    nextDue = earliest()
    var found = StuckReading()
    found.sockets = due
    found.sort()
    return found.sockets
  }
}
