// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// A numeric address and a port to listen on, as in `--web.listen-address`.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// Numeric, without brackets; nil for all addresses of this host.
  public let host: String?
  /// 0 lets the kernel choose.
  public let port: UInt16

  public init(host: String?, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Parses `HOST:PORT`, `:PORT` or `[IPv6]:PORT`; nil if it is none of these.
  ///
  /// `localhost` is 127.0.0.1. Other names aren't looked up: a server that listens shouldn't depend on a resolver.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else {
      return nil
    }
    var host = text[..<colon]
    let isBracketed = host.first == "[" && host.last == "]"
    if isBracketed { host = host.dropFirst().dropLast() }
    // An IPv6 address without brackets leaves open where the port begins.
    guard isBracketed == host.contains(":") else { return nil }
    switch host {
    case "": self.host = nil
    case "localhost": self.host = "127.0.0.1"
    default:
      guard (try? SocketAddress(ipAddress: String(host), port: 0)) != nil else { return nil }
      self.host = String(host)
    }
    self.port = port
  }

  private static func port(_ text: Substring) -> UInt16? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return UInt16(text)
  }

  public var description: String {
    guard let host else { return ":\(port)" }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
