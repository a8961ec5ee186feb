// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The words for the page's numbers, so that its script needs no tables of its own.
enum PageWords {
  /// Appends one object: states as `[number, name, letter, machine name]`; roles and reasons by index, as people and
  /// machines call them; where the state machine is drawn.
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
    buffer.append("],\"reasonNames\":[")
    append(Reason.allCases.map { $0.name.description }, to: &buffer)
    buffer.append("],\"figure\":{\"places\":[")
    appendPlaces(to: &buffer)
    buffer.append("],\"lines\":[")
    appendLines(to: &buffer)
    buffer.append("]}}")
  }

  /// Appends `[state, x, y, width, height]` for each box, in characters.
  private static func appendPlaces(to buffer: inout ByteBuffer) {
    for (index, place) in StateFigure.places.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append("[\(place.state.number),\(place.x),\(place.y),\(StateFigure.boxWidth),\(place.height)]")
    }
  }

  /// Appends `[old, new, event, x of the text, y of it, whether it ends there, whether it has one line, x, y, x, y …]`.
  private static func appendLines(to buffer: inout ByteBuffer) {
    for (index, line) in StateFigure.lines.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      let event = StateMachine.arrows.first { $0.move == Move(line.old, line.new) }?.event ?? ""
      buffer.append("[\(line.old.number),\(line.new.number),\"\(event)\",\(line.text.x),\(line.text.y)")
      buffer.append(",\(line.endsThere ? 1 : 0),\(line.isFlat ? 1 : 0)")
      for point in line.points { buffer.append(",\(point.0),\(point.1)") }
      buffer.append("]")
    }
  }

  private static func append(_ words: [String], to buffer: inout ByteBuffer) {
    for (index, word) in words.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(json: word)
    }
  }
}
