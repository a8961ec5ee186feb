// SPDX-License-Identifier: Apache-2.0

/// The counters of the sockets on the screen, and from two readings how fast they grow.
///
/// Pure. It remembers only sockets that are on the screen. Times are nanoseconds of any one clock.
public struct TopReadings: Sendable {
  /// A socket's counters, and bytes per second.
  public struct Reading: Sendable, Equatable {
    public var counters: SocketCounters
    /// Bytes per second since the reading before; `nil` until there are two.
    public var sendingRate: UInt64?
    public var receivingRate: UInt64?

    public init(_ counters: SocketCounters, sendingRate: UInt64? = nil, receivingRate: UInt64? = nil) {
      (self.counters, self.sendingRate, self.receivingRate) = (counters, sendingRate, receivingRate)
    }
  }

  private struct Entry {
    var time: UInt64
    var reading: Reading
  }

  private var entries: [UInt64: Entry] = [:]

  public init() {}

  /// By connection id.
  public var all: [UInt64: Reading] { entries.mapValues(\.reading) }

  /// Those of `wanted` that have to be read at `now`: the ones that never were, or not for `pause` nanoseconds.
  public func due(_ wanted: [UInt64], at now: UInt64, pause: UInt64) -> Set<UInt64> {
    Set(wanted.filter { id in entries[id].map { now &- $0.time >= pause } ?? true })
  }

  /// Takes over what was read at `now`. A socket that was asked for, and isn't among `counters`, has none any more.
  ///
  /// - Parameters:
  ///   - asked: those that were to be read.
  ///   - shown: all that are on the screen; others are forgotten.
  public mutating func take(
    _ counters: [UInt64: SocketCounters], asked: Set<UInt64>, shown: [UInt64], at now: UInt64
  ) {
    let shown = Set(shown)
    entries = entries.filter { shown.contains($0.key) && !(asked.contains($0.key) && counters[$0.key] == nil) }
    for (id, counters) in counters {
      let before = entries[id]
      let passed = before.map { now &- $0.time }
      func rate(_ counter: KeyPath<SocketCounters, UInt64?>) -> UInt64? {
        guard let passed, passed > 0, let new = counters[keyPath: counter],
          let old = before?.reading.counters[keyPath: counter], new >= old
        else { return nil }
        return UInt64(Double(new - old) / Double(passed) * 1e9)
      }
      entries[id] = Entry(
        time: now,
        reading: Reading(counters, sendingRate: rate(\.bytesSent), receivingRate: rate(\.bytesReceived)))
    }
  }
}
