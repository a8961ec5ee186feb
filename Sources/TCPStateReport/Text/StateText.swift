// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A state's name for people, as in RFC 9293, in its colour if wanted.
public enum StateText {
  /// Appends the name.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(_ state: TCPState, color: Bool, to buffer: inout ByteBuffer) -> Int {
    let color = color ? StateColor.ofName(state) : nil
    if let color { buffer.append(color) }
    defer { if color != nil { buffer.append(StateColor.reset) } }
    if let name = state.staticName(.rfc) {
      buffer.append(name)
      return name.utf8CodeUnitCount
    }
    let name = state.name(.rfc)
    buffer.append(name)
    return name.utf8.count
  }
}
