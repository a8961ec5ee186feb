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

  public let netns: UInt32?
  /// If this side connected, the port is 0, because each socket has its own.
  public let local: Endpoint
  /// If this side accepted, the port is 0.
  public let peer: Endpoint
  /// How many are in TIME-WAIT.
  public private(set) var count: UInt64 = 0
  /// How many sockets between the same ends are in other states, which also occupy ports.
  public private(set) var others: UInt64 = 0
  /// The oldest one's age in nanoseconds.
  public private(set) var oldest: UInt64 = 0
  /// Whether this is the side that connected; `nil` if not known.
  public let connected: Bool?
  /// The processes that held them while they were traced, and how many each.
  public private(set) var makers: [SocketHolder: UInt64] = [:]

  private let supply: PortSupply?
  private let isReusable: Bool
  /// Ports of the supply that these sockets are bound to.
  private var taken: Set<UInt16> = []
  /// Of these, the ones that connect() can't take over yet.
  private var locked: Set<UInt16> = []
  /// How many of them bind() has taken: others may not have them, but these do.
  private var bound: UInt64 = 0
  private var rate = TimeWaitRate()

  /// - Parameter supply: of the network namespace; `nil` if it isn't known.
  init(netns: UInt32?, local: Endpoint, peer: Endpoint, connected: Bool?, supply: PortSupply?) {
    self.netns = netns
    self.connected = connected
    self.local = local
    self.peer = peer
    self.supply = connected == true ? supply : nil
    isReusable = supply?.allowsReuse(local.address, peer.address) ?? false
  }

  mutating func add(_ socket: StuckSocket) {
    count += 1
    if let maker = socket.maker { makers[maker, default: 0] += 1 }
    let age = socket.age?.nanoseconds
    // It needs the time stamps of both ends.
    let isReused = isReusable && socket.hasTimestamps == true
    if let age {
      oldest = max(oldest, age)
      rate.add(age: age, isReused: isReused)
    }
    take(socket.local.port, isLocked: !isReused || age ?? 0 < reuseAfter)
  }

  /// Adds a socket in another state.
  mutating func addOther(_ port: UInt16) {
    others += 1
    take(port, isLocked: true)
  }

  private mutating func take(_ port: UInt16, isLocked: Bool) {
    guard let supply, supply.contains(port) else { return }
    let isBound = supply.isBound(port)
    if taken.insert(port).inserted, isBound { bound += 1 }
    if isLocked || isBound { locked.insert(port) }
  }

  /// How many ports connect() may choose from; `nil` if this side accepted, or if not known.
  public var ports: UInt64? { supply.map { $0.count + bound } }

  /// Ephemeral ports in use.
  public var used: UInt64 { supply == nil ? count + others : UInt64(taken.count) }

  /// After how long connect() may take over these ports, in nanoseconds; `nil` if it may not (net.ipv4.tcp_tw_reuse).
  public var reusedAfter: UInt64? { isReusable && rate.hasReused ? reuseAfter : nil }

  /// The kernel compares whole seconds, so it may take one more.
  private var reuseAfter: UInt64 { supply.map { $0.reuseDelay + 1_000_000_000 } ?? 0 }

  /// How many enter TIME-WAIT per second; `nil` if ages aren't known.
  public var perSecond: Double? { rate.isKnown ? rate.perSecond : nil }

  /// Whether connect() fails for lack of a port, or will at a rate that isn't only of a moment.
  public var runsOut: Bool {
    guard case .exhausted(let after) = forecast else { return false }
    return after == 0 || rate.isSteady
  }

  /// `nil` if this side accepted, or if ages aren't known.
  public var forecast: Forecast? {
    guard connected == true else { return nil }
    let locked = UInt64(locked.count)
    if let ports, locked >= ports { return .exhausted(after: 0) }
    guard rate.isKnown else { return nil }
    guard let ports, level > ports else { return .levelsOff(at: level) }
    let left = Double(ports - locked)
    return .exhausted(after: UInt64(min(left / max(rate.growth, 0.1), 1e9) * 1e9))
  }

  private var level: UInt64 {
    let reused = rate.perSecond * rate.shareReused * Double(reuseAfter) / 1e9
    let kept = rate.perSecond * (1 - rate.shareReused) * TimeWaitRate.lifetime
    return others + UInt64((reused + kept).rounded())
  }
}
