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

  /// The owner in at most `width` columns, if it can be shortened to that: the name loses its end, `a-long-na…/4194303`;
  /// the process id stays whole.
  public static func string(
    name: ShortName, pid: UInt32?, kind: OwnerKind? = nil, fitting width: Int, glyphs: Glyphs = .unicode
  ) -> String {
    let whole = string(name: name, pid: pid, kind: kind, glyphs: glyphs)
    guard DisplayWidth.of(whole) > width, !name.isEmpty else { return whole }
    let rest = (pid.map { "/\($0)" } ?? "") + (kind == .inherited ? "?" : "")
    return FittedText.cut(NameText.visibleString(name), to: max(2, width - rest.utf8.count), glyphs) + rest
  }

  /// Appends the owner in at most `width` columns, if it can be shortened to that.
  ///
  /// - Returns: how many columns of a terminal it takes.
  static func append(
    name: ShortName, pid: UInt32?, kind: OwnerKind?, fitting width: Int, glyphs: Glyphs, to buffer: inout ByteBuffer
  ) -> Int {
    let before = buffer.count
    let whole = append(name: name, pid: pid, kind: kind, glyphs: glyphs, to: &buffer)
    guard whole > width, !name.isEmpty else { return whole }
    buffer.removeLast(buffer.count - before)
    let text = string(name: name, pid: pid, kind: kind, fitting: width, glyphs: glyphs)
    buffer.append(text)
    return DisplayWidth.of(text)
  }

  /// The owner that a row names.
  public static func string(of row: Transition, glyphs: Glyphs = .unicode) -> String {
    string(name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind, glyphs: glyphs)
  }
}
