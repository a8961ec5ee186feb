// SPDX-License-Identifier: Apache-2.0
/// The local ports of a network namespace that connect() may choose, and when it may take one in TIME-WAIT.
///
/// Source: __inet_hash_connect(), net/ipv4/inet_hashtables.c; tcp_twsk_unique(), net/ipv4/tcp_ipv4.c.
public struct PortSupply: Sendable {
  /// net.ipv4.tcp_tw_reuse.
  public enum Reuse: Sendable {
    case never
    /// Between loopback addresses: the kernel's default.
    case loopback
    case always
  }

  /// net.ipv4.ip_local_port_range.
  public let range: ClosedRange<UInt16>
  public let reuse: Reuse
  /// How long a socket must have been in TIME-WAIT before its port is reused, in nanoseconds (net.ipv4.tcp_tw_reuse_delay).
  public let reuseDelay: UInt64
  /// Ports in the range that connect() passes over: net.ipv4.ip_local_reserved_ports …
  private var reserved: Set<UInt16> = []
  /// … and those taken by bind().
  private var bound: Set<UInt16> = []

  public init(
    range: ClosedRange<UInt16>, reserved: [ClosedRange<UInt16>] = [], reuse: Reuse = .never,
    reuseDelay: UInt64 = 1_000_000_000
  ) {
    self.range = range
    self.reuse = reuse
    self.reuseDelay = reuseDelay
    for ports in reserved where ports.overlaps(range) { self.reserved.formUnion(ports.clamped(to: range)) }
  }

  /// The supply less the ports that bind() has taken.
  func without(_ bound: Set<UInt16>) -> PortSupply {
    var supply = self
    supply.bound = bound.filter { contains($0) }
    return supply
  }

  /// How many ports connect() may choose from.
  public var count: UInt64 { UInt64(range.count - reserved.count - bound.count) }

  /// Whether connect() may choose this port.
  public func contains(_ port: UInt16) -> Bool { range.contains(port) && !reserved.contains(port) }

  func isBound(_ port: UInt16) -> Bool { bound.contains(port) }

  /// Whether connect() may take over a port in TIME-WAIT between these addresses.
  func allowsReuse(_ local: IPAddress, _ peer: IPAddress) -> Bool {
    switch reuse {
    case .never: false
    case .loopback: local.isLoopback || peer.isLoopback
    case .always: true
    }
  }

  /// Reads `32768-32770,40000`, the form of ip_local_reserved_ports; what isn't a port is left out.
  public static func ports(_ text: some StringProtocol) -> [ClosedRange<UInt16>] {
    text.split { $0 == "," || $0.isWhitespace }.compactMap { word in
      let ends = word.split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= 2, let low = UInt16(ends[0]), let high = UInt16(ends[ends.count - 1]), low <= high
      else { return nil }
      return low...high
    }
  }
}
