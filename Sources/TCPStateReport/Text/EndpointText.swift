// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// An address with its port, as `ss` writes them: `10.0.0.5:80`, `[2001:db8::1]:443`.
///
/// An unknown port is `*`; an endpoint without address and port, such as a listener's
/// peer, is the glyph for unknown.
///
/// Where a column is too narrow, an IPv6 address loses groups in its middle, `[2001:db8:…:7334]:443`: both of its ends
/// and the port stay whole. IPv4 addresses are never shortened.
public enum EndpointText {
  static let room = AddressText.room + 16

  /// Appends the endpoint.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(
    _ endpoint: Endpoint, glyphs: Glyphs = .unicode, to buffer: inout ByteBuffer
  ) -> Int {
    if endpoint.port == 0, endpoint.address.isUnspecified {
      buffer.append(glyphs.unknown)
      return 1
    }
    let before = buffer.count
    var cursor = buffer.cursor(room: room)
    if endpoint.address.isIPv4 {
      cursor.put(endpoint.address)
    } else {
      cursor.put(UInt8(ascii: "["))
      cursor.put(endpoint.address)
      cursor.put(UInt8(ascii: "]"))
    }
    cursor.put(port: endpoint.port)
    buffer.commit(cursor)
    return buffer.count - before
  }

  /// An address where a port may follow: IPv6 in brackets.
  static func bracketed(_ address: IPAddress) -> String {
    address.isIPv4 ? AddressText.string(address) : "[\(AddressText.string(address))]"
  }

  /// Appends the port alone, `:80`.
  ///
  /// - Returns: how many columns of a terminal it takes.
  static func append(portOf endpoint: Endpoint, glyphs: Glyphs, to buffer: inout ByteBuffer) -> Int {
    if endpoint.port == 0 {
      buffer.append(glyphs.unknown)
      return 1
    }
    let before = buffer.count
    var cursor = buffer.cursor(room: 8)
    cursor.put(port: endpoint.port)
    buffer.commit(cursor)
    return buffer.count - before
  }

  public static func string(_ endpoint: Endpoint, glyphs: Glyphs = .unicode) -> String {
    var buffer = ByteBuffer(capacity: 64)
    append(endpoint, glyphs: glyphs, to: &buffer)
    return buffer.text
  }

  /// The endpoint in at most `width` columns, if it can be shortened to that.
  public static func string(_ endpoint: Endpoint, fitting width: Int, glyphs: Glyphs = .unicode) -> String {
    let whole = string(endpoint, glyphs: glyphs)
    guard whole.utf8.count > width, !endpoint.address.isIPv4 else { return whole }
    guard endpoint.port != 0 || !endpoint.address.isUnspecified else { return whole }
    let port = endpoint.port == 0 ? ":*" : ":\(endpoint.port)"
    let address = AddressText.string(endpoint.address, fitting: width - 2 - port.utf8.count, glyphs: glyphs)
    return "[\(address)]\(port)"
  }

  /// Appends the endpoint in at most `width` columns, if it can be shortened to that.
  ///
  /// - Returns: how many columns of a terminal it takes.
  static func append(_ endpoint: Endpoint, fitting width: Int, glyphs: Glyphs, to buffer: inout ByteBuffer) -> Int {
    // No IPv4 endpoint can be shortened, and few others have to be.
    guard !endpoint.address.isIPv4 else { return append(endpoint, glyphs: glyphs, to: &buffer) }
    let text = string(endpoint, fitting: width, glyphs: glyphs)
    buffer.append(text)
    return DisplayWidth.of(text)
  }
}

extension ByteCursor {
  fileprivate mutating func put(port: UInt16) {
    put(UInt8(ascii: ":"))
    if port == 0 { put(UInt8(ascii: "*")) } else { put(decimal: UInt64(port)) }
  }
}
