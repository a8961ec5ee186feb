// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of a recording by tcpstates from bcc or libbpf-tools, with any options.
///
/// It prints a table, or with `-s` CSV without quotes; `-T` and `-t` put times first, and `-w` adds IP.
/// A process name may have commas and spaces, so what follows it is found from the line's end. Other programs that
/// write its CSV again put quotes around cells, and may add or move columns: then the header says which is which.
struct TcpstatesLayout {
  private(set) var isCSV = false
  /// Whether each line is a JSON object.
  var isJSON = false
  /// How many of `TIME` and `TIME(s)` there are.
  var times = 0
  private(set) var hasIP = false
  /// CSV: the places of the times, and of `names` in their order.
  private var timePlaces: [Int] = []
  private var places: [Int] = []
  private var cellCount = 0
  /// Whether the columns are those that tcpstates itself prints, in its order.
  private var isStandard = false

  static let names = [
    "SKADDR", "PID", "COMM", "LADDR", "LPORT", "RADDR", "RPORT", "OLDSTATE", "NEWSTATE", "MS",
  ]

  init() {}

  /// `nil` if it isn't tcpstates' header.
  ///
  /// - Parameter header: the first line.
  init?(header: some Collection<UInt8>) {
    isCSV = header.contains(UInt8(ascii: ","))
    var names =
      isCSV
      ? (Self.cells(Array(header)) ?? []).map { String(decoding: $0, as: UTF8.self) }
      : header.split { $0 == UInt8(ascii: " ") }.map { String(decoding: $0, as: UTF8.self) }
    cellCount = names.count
    guard names.contains("SKADDR"), isCSV ? findPlaces(names) : true else { return nil }
    names.removeAll { $0 == "->" }
    while let name = names.first, name == "TIME" || name == "TIME(s)" {
      times += 1
      names.removeFirst()
    }
    hasIP = names.count == 11 && names[3] == "IP"
    if hasIP { names.remove(at: 3) }
    isStandard =
      names.count == 10 && names[0] == "SKADDR" && ["PID", "C-PID"].contains(names[1])
      && names.suffix(6) == ["LPORT", "RADDR", "RPORT", "OLDSTATE", "NEWSTATE", "MS"]
    if !isStandard { times = timePlaces.count }
    guard isStandard || isCSV else { return nil }
  }

  /// - Returns: whether all columns are there.
  private mutating func findPlaces(_ header: [String]) -> Bool {
    timePlaces = header.indices.filter { header[$0] == "TIME" || header[$0] == "TIME(s)" }
    for name in Self.names {
      // In CSV tcpstates calls them so in some versions only.
      guard let place = header.firstIndex(where: { $0 == name || $0 == "C-\(name)" }) else { return false }
      places.append(place)
    }
    return timePlaces.count <= 2
  }

  /// Our columns whose values follow from it.
  var columns: [Column?] {
    var known: Set<Column> = [
      .connectionID, .socketAddress, .role, .processPID, .processName, .networkType, .localAddress, .localPort,
      .peerAddress, .peerPort, .stateOld, .stateNew, .stateDuration, .durationKind, .actorPID, .actorName,
    ]
    if times > 0 { known.insert(.timestamp) }
    return Column.allCases.filter { known.contains($0) }
  }

  /// The parts of one line.
  struct Parts {
    var times: [ArraySlice<UInt8>] = []
    var address: ArraySlice<UInt8> = []
    var pid: ArraySlice<UInt8> = []
    var name: ArraySlice<UInt8> = []
    /// Whether quotes around the name, if there were any, are gone.
    var isUnquoted = false
    /// Local address and port, remote address and port, old and new state, milliseconds.
    var rest: [ArraySlice<UInt8>] = []
  }

  /// - Returns: `nil` if the line has too few.
  func parts(of line: [UInt8]) -> Parts? {
    var text = line[...]
    while let last = text.last, last == 13 || last == 32 { text.removeLast() }
    if isJSON { return parts(ofObject: Array(text)) }
    // A name with commas makes more cells of a line than the header has.
    if isCSV, let cells = Self.cells(Array(text)), cells.count == cellCount { return parts(of: cells) }
    return isStandard ? parts(ofUnquoted: text) : nil
  }

  private func parts(of cells: [[UInt8]]) -> Parts {
    var parts = Parts()
    parts.times = timePlaces.map { cells[$0][...] }
    let found = places.map { cells[$0][...] }
    (parts.address, parts.pid, parts.name) = (found[0], found[1], found[2])
    parts.isUnquoted = true
    parts.rest = Array(found[3...])
    return parts
  }

  /// The cells of a line of CSV (RFC 4180), without quotes; `nil` if a quote isn't closed where its cell ends.
  private static func cells(_ line: [UInt8]) -> [[UInt8]]? {
    let (quote, comma) = (UInt8(ascii: "\""), UInt8(ascii: ","))
    var cells: [[UInt8]] = []
    var index = 0
    while true {
      var cell: [UInt8] = []
      if index < line.count, line[index] == quote {
        index += 1
        while true {
          guard index < line.count else { return nil }
          if line[index] == quote {
            index += 1
            guard index < line.count, line[index] == quote else { break }
          }
          cell.append(line[index])
          index += 1
        }
        guard index == line.count || line[index] == comma else { return nil }
      } else {
        while index < line.count, line[index] != comma {
          cell.append(line[index])
          index += 1
        }
      }
      cells.append(cell)
      guard index < line.count else { return cells }
      index += 1
    }
  }

  private func parts(ofUnquoted line: ArraySlice<UInt8>) -> Parts? {
    let separator = UInt8(ascii: isCSV ? "," : " ")
    var text = line
    var parts = Parts()
    for index in 0..<(times + 2) {
      while !isCSV, text.first == separator { text.removeFirst() }
      guard let end = text.firstIndex(of: separator) else { return nil }
      let part = text[..<end]
      text = text[(end + 1)...]
      if index < times {
        parts.times.append(part)
      } else if index == times {
        parts.address = part
      } else {
        parts.pid = part
      }
    }
    let wanted = hasIP ? 8 : 7
    while parts.rest.count < wanted {
      while !isCSV, text.last == separator { text.removeLast() }
      guard let start = text.lastIndex(of: separator) else { return nil }
      let part = text[(start + 1)...]
      text = text[..<start]
      if !part.elementsEqual("->".utf8) { parts.rest.append(part) }
    }
    while !isCSV, text.last == separator { text.removeLast() }
    while !isCSV, text.first == separator { text.removeFirst() }
    parts.name = text
    parts.rest = Array(parts.rest.prefix(7).reversed())
    return parts
  }
}
