// SPDX-License-Identifier: Apache-2.0

/// Sockets in TIME-WAIT that use up the same supply of ports.
///
/// On the side that connected, each occupies one of the source address's ports
/// towards its destination: when the ephemeral range is exhausted, connect() fails with
/// EADDRNOTAVAIL. On the side that accepted they only cost memory.
public struct TimeWaitGroup: Sendable {
  public enum Forecast: Sendable, Equatable {
    /// At the present rate the number of ports in use will settle at this value.
    case levelsOff(at: UInt64)
    /// At the present rate no port is left after this many nanoseconds.
    case exhausted(after: UInt64)
  }

  /// How long TIME-WAIT lasts, in seconds.
  private static let lifetime: UInt64 = 60
  /// The rate is measured over this many seconds.
  private static let window: UInt64 = 10

  public let netns: UInt32?
  /// If this side connected, the port is 0, because each socket has its own.
  public let local: Endpoint
  /// If this side accepted, the port is 0.
  public let peer: Endpoint
  /// How many are in TIME-WAIT.
  public internal(set) var count: UInt64 = 0
  /// How many sockets between the same ends are in other states, which also occupy ports.
  public internal(set) var others: UInt64 = 0
  /// The oldest one's age in nanoseconds.
  public internal(set) var oldest: UInt64 = 0
  /// Whether this is the side that connected; `nil` if not known.
  public let connected: Bool?
  /// How many ports the ephemeral range has (ip_local_port_range); `nil` if this side accepted, or if not known.
  public let ports: UInt64?
  /// The processes that held them while they were traced, and how many each.
  public private(set) var makers: [SocketHolder: UInt64] = [:]
  private var entered: UInt64 = 0
  private var leaving: UInt64 = 0
  var ageIsKnown = false

  init(netns: UInt32?, local: Endpoint, peer: Endpoint, connected: Bool?, ports: UInt64?) {
    self.netns = netns
    self.connected = connected
    self.local = local
    self.peer = peer
    self.ports = ports
  }

  mutating func add(age: UInt64?, maker: SocketHolder?) {
    count += 1
    if let maker { makers[maker, default: 0] += 1 }
    guard let age else { return }
    ageIsKnown = true
    oldest = max(oldest, age)
    if age < Self.window * 1_000_000_000 { entered += 1 }
    if age >= (Self.lifetime - Self.window) * 1_000_000_000 { leaving += 1 }
  }

  /// Ephemeral ports in use.
  public var used: UInt64 { count + others }

  /// How many enter TIME-WAIT per second, over the last ten seconds; `nil` if ages aren't known.
  public var perSecond: Double? { ageIsKnown ? Double(entered) / Double(Self.window) : nil }

  /// `nil` if this side accepted, or if ages aren't known.
  public var forecast: Forecast? {
    guard connected == true, ageIsKnown else { return nil }
    let level = entered * Self.lifetime / Self.window + others
    guard let ports, level > ports, used < ports else {
      return ports.map { used >= $0 } ?? false ? .exhausted(after: 0) : .levelsOff(at: level)
    }
    let growth = entered > leaving ? entered - leaving : 1
    return .exhausted(after: (ports - used) * Self.window * 1_000_000_000 / growth)
  }
}
