// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Recordings whose text has to be converted before it is read.
extension TransitionReader {
  /// Appends bytes that have to be converted.
  mutating func appendForeign<Failure: Error>(
    _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) -> Int {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
    defer { room.deallocate() }
    let added = try read(room)
    if added <= 0 { isComplete = true }
    append(text: foreign?.convert(room.prefix(max(added, 0)), isLast: added <= 0) ?? [])
    return added
  }

  /// Appends text that needs no more conversion.
  private mutating func append(text: [UInt8]) {
    makeRoom()
    while capacity - count < text.count { grow() }
    text.withUnsafeBufferPointer { text in
      guard let start = text.baseAddress else { return }
      (base + count).update(from: start, count: text.count)
    }
    count += text.count
    (base + count).update(repeating: 0, count: Self.slack)
  }

  /// Converts what was appended before the recording's beginning showed that it has to be.
  mutating func convert(_ body: (inout ForeignText, [UInt8], _ isLast: Bool) -> [UInt8], from new: ForeignText) {
    var text = foreign ?? new
    let converted = body(&text, Array(UnsafeBufferPointer(start: base + position, count: count - position)), isComplete)
    count = position
    foreign = text
    append(text: converted)
  }

  /// - Returns: false if more bytes are needed to know it.
  mutating func learnEncoding() -> Bool {
    guard !knowsEncoding else { return true }
    guard count - position >= 2 || isComplete else { return false }
    knowsEncoding = true
    if let encoding = ForeignText.encoding(UnsafeBufferPointer(start: base + position, count: count - position)) {
      convert({ text, bytes, _ in text.decoded(bytes) }, from: ForeignText(encoding))
    }
    return true
  }

  /// Reads a line of tcpstates. A last one that isn't a row is left out like one that is cut short.
  ///
  /// - Returns: false, because its row comes by `takeReady`; `nil` when it isn't clear yet whether it is the last line.
  mutating func readTcpstates(_ text: UnsafeBufferPointer<UInt8>, end: Int) throws(RecordingError) -> Bool? {
    do throws(RecordingError) {
      try tcpstates.read(text, line: line)
    } catch {
      guard end + 1 == count, rowsOfTcpstates > 0 else { throw error }
      line -= 1
      return nil
    }
    rowsOfTcpstates += 1
    position = end + 1
    return false
  }
}
