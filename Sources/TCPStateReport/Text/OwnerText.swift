// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A process for people: `nginx/812`.
public enum OwnerText {
  /// Appends name and pid, or whichever is known; with a question mark if it is only the listener's owner.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(
    name: ShortName, pid: UInt32?, kind: OwnerKind? = nil, glyphs: Glyphs = .unicode, to buffer: inout ByteBuffer
  ) -> Int {
    guard !name.isEmpty || pid != nil else {
      buffer.append(glyphs.unknown)
      return 1
    }
    var width = 0
    if !name.isEmpty { width = NameText.append(visible: name, to: &buffer) }
    let before = buffer.count
    if let pid {
      if width > 0 { buffer.append(UInt8(ascii: "/")) }
      buffer.append(decimal: UInt64(pid))
    }
    if kind == .inherited { buffer.append(UInt8(ascii: "?")) }
    return width + buffer.count - before
  }

  public static func string(
    name: ShortName, pid: UInt32?, kind: OwnerKind? = nil, glyphs: Glyphs = .unicode
  ) -> String {
    var buffer = ByteBuffer(capacity: 256)
    append(name: name, pid: pid, kind: kind, glyphs: glyphs, to: &buffer)
    return buffer.text
  }

  /// The owner that a row names.
  public static func string(of row: Transition, glyphs: Glyphs = .unicode) -> String {
    string(name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind, glyphs: glyphs)
  }
}
