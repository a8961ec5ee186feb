import TCPStateCore

/// A state's name for people, RFC 9293's, in its colour if wanted.
public enum StateText {
  /// Appends the name and returns its columns.
  @discardableResult
  public static func append(_ state: TCPState, color: Bool, to buffer: inout ByteBuffer) -> Int {
    if color { buffer.append(StateColor.of(state)) }
    defer { if color { buffer.append(StateColor.reset) } }
    if let name = state.staticName(.rfc) {
      buffer.append(name)
      return name.utf8CodeUnitCount
    }
    let name = state.name(.rfc)
    buffer.append(name)
    return name.utf8.count
  }
}
