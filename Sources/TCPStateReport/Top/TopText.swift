// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Text of a `top` frame, fitted to columns and coloured if wanted.
struct TopText {
  let width: Int
  let style: TableStyle
  var theme = TopTheme.dark

  var unknown: String { style.glyphs.unknown.description }

  /// Whether the terminal shows ASCII only.
  var isASCII: Bool { unknown == "-" }

  func age(_ stay: Stay?) -> String {
    guard let stay else { return unknown }
    return DurationText.string(stay.nanoseconds, kind: stay.kind, glyphs: style.glyphs)
  }

  func duration(_ nanoseconds: UInt64) -> String { DurationText.string(nanoseconds, glyphs: style.glyphs) }

  func number(_ value: UInt32?) -> String { value.map { NumberText.string(UInt64($0)) } ?? unknown }

  /// A sequence number or id: not a count, so its digits aren't grouped.
  func sequence(_ value: UInt32?) -> String { value.map { "\($0)" } ?? unknown }

  func bytes(_ value: UInt64?) -> String { value.map { ByteCountText.string($0) } ?? unknown }

  /// As exact as fits.
  func bytes(_ value: UInt64?, fitting columns: Int) -> String {
    let exact = bytes(value)
    guard let value, exact.utf8.count > columns else { return exact }
    return ShortBytes.string(value)
  }

  /// Bytes per second.
  func rate(_ value: UInt64?) -> String { value.map { ShortBytes.string($0) + "/s" } ?? unknown }

  func rtt(_ microseconds: UInt32?) -> String { microseconds.map { duration(UInt64($0) * 1000) } ?? unknown }

  func clock(_ time: UInt64, fraction: Bool = false) -> String {
    var buffer = ByteBuffer(capacity: 64)
    var text = ClockText(utc: style.utc)
    text.append(time, precision: .milliseconds, to: &buffer)
    return fraction ? buffer.text : String(buffer.text.prefix(8))
  }

  /// - Parameter rank: of the connection that is in that state; `nil` for several.
  func paint(_ text: String, _ state: TCPState, _ rank: TopRow.Rank? = nil) -> String {
    style.color ? "\(theme.color(state, rank))\(text)\(StateColor.reset)" : text
  }

  func heading(_ text: String) -> String {
    style.color ? "\(StateColor.heading)\(text)\(StateColor.reset)" : text
  }

  func faint(_ text: String) -> String {
    style.color ? "\(theme.faint)\(text)\(StateColor.reset)" : text
  }

  /// A line of the list. The selected one has a mark in its margin and, with colour, is in reverse video.
  func listed(_ line: String, isSelected: Bool) -> String {
    guard isSelected else { return " " + line }
    return style.color ? "\u{1b}[7m>\(line)\u{1b}[0m" : ">" + line
  }

  /// Fits text to a width. Text that is too long is cut and ends in a mark.
  func fit(_ text: String, _ columns: Int, right: Bool = false, pads: Bool = true) -> String {
    let length = DisplayWidth.of(text)
    if length <= columns {
      guard pads else { return text }
      let padding = String(repeating: " ", count: columns - length)
      return right ? padding + text : text + padding
    }
    let mark = isASCII ? "~" : "…"
    var result = ""
    var used = 0
    for character in text {
      let next = DisplayWidth.of(String(character))
      guard used + next < columns else { break }
      result.append(character)
      used += next
    }
    let padding = String(repeating: " ", count: max(0, columns - used - 1))
    return columns > 0 ? result + mark + padding : ""
  }

  /// Cuts a line that may have colours at the terminal's width.
  func clip(_ line: String) -> String {
    guard line.utf8.count > width else { return line }
    var result = ""
    var used = 0
    var isSequence = false
    for character in line {
      if character == "\u{1b}" { isSequence = true }
      if !isSequence {
        used += DisplayWidth.of(String(character))
        guard used <= width else { continue }
      }
      result.append(character)
      if isSequence, character.isLetter { isSequence = false }
    }
    return result
  }

  /// Puts one text at the left edge and one at the right; on a narrow terminal the right one is left out.
  func spread(_ left: String, _ right: String) -> String {
    let room = width - DisplayWidth.of(right) - 2
    return room < 10 ? fit(left, width) : fit(left, room) + "  " + right
  }

  /// Breaks text into lines that fit, each indented.
  func wrap(_ text: String, indent: Int) -> [String] {
    var lines: [String] = []
    var line = String(repeating: " ", count: indent)
    for word in text.split(separator: " ") {
      let isFirst = line.allSatisfy { $0 == " " }
      if !isFirst, DisplayWidth.of(line) + 1 + DisplayWidth.of(String(word)) > width {
        lines.append(line)
        line = String(repeating: " ", count: indent) + word
      } else {
        line += (isFirst ? "" : " ") + word
      }
    }
    lines.append(line)
    return lines
  }
}
