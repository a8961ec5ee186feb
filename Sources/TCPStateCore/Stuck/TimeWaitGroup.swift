/// Sockets in TIME-WAIT that use up the same supply.
///
/// On the side that connected, each occupies one of the source address's ports
/// towards its destination: when the ephemeral range is used up, connect() fails with
/// EADDRNOTAVAIL. On the side that accepted they cost memory only.
public struct TimeWaitGroup: Sendable {
  public enum Forecast: Sendable, Equatable {
    /// At the present rate as many ports will be in use for good.
    case levelsOff(at: UInt64)
    /// At the present rate no port is left after so many nanoseconds.
    case exhausted(after: UInt64)
  }

  /// TIME-WAIT lasts so many seconds.
  private static let lifetime: UInt64 = 60
  /// The rate is that of the last so many seconds.
  private static let window: UInt64 = 10

  public let netns: UInt32?
  /// Of one that connected the port is 0: each has its own.
  public let local: Endpoint
  /// Of one that accepted the port is 0.
  public let peer: Endpoint
  /// In TIME-WAIT.
  public internal(set) var count: UInt64 = 0
  /// In any other state between the same ends: they occupy ports as well.
  public internal(set) var others: UInt64 = 0
  /// The oldest one's age in nanoseconds.
  public internal(set) var oldest: UInt64 = 0
  /// Whether this is the side that connected; `nil` when that isn't known.
  public let connected: Bool?
  /// Ports of the ephemeral range (ip_local_port_range); `nil` for one that accepted, or when the range isn't known.
  public let ports: UInt64?
  /// Who made them, as far as they were traced, with how many each.
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

  /// Entering TIME-WAIT each second, by the last ten; `nil` if ages aren't known.
  public var perSecond: Double? { ageIsKnown ? Double(entered) / Double(Self.window) : nil }

  /// `nil` for one that accepted, or when ages aren't known.
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
