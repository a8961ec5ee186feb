// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// An address with its port, as `ss` writes them: `10.0.0.5:80`, `[2001:db8::1]:443`.
///
/// An unknown port is `*`; an endpoint without address and port, such as a listener's
/// peer, is the glyph for unknown.
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
}

extension ByteCursor {
  fileprivate mutating func put(port: UInt16) {
    put(UInt8(ascii: ":"))
    if port == 0 { put(UInt8(ascii: "*")) } else { put(decimal: UInt64(port)) }
  }
}
