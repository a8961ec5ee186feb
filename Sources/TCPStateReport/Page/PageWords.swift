// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The words for the page's numbers, so that its script needs no tables of its own.
enum PageWords {
  /// Appends one object: states as `[number, name, letter, machine name]`; roles and reasons by index.
  static func append(to buffer: inout ByteBuffer) {
    buffer.append("{\"states\":[")
    for (index, state) in TCPState.all.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      let letter = TopLane.letter(state)
      buffer.append("[\(state.number),\"\(state.name(.rfc))\",\"\(letter)\",\"\(state.name(.openTelemetry))\"]")
    }
    buffer.append("],\"roles\":[")
    append(Role.allCases.map { $0.name.description }, to: &buffer)
    buffer.append("],\"reasons\":[")
    append(Reason.allCases.map { $0.words.description }, to: &buffer)
    buffer.append("]}")
  }

  private static func append(_ words: [String], to buffer: inout ByteBuffer) {
    for (index, word) in words.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(json: word)
    }
  }
}
