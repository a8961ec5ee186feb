// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of a recording by tcpstates from bcc or libbpf-tools, with any options.
///
/// It prints a table, or with `-s` CSV without quotes; `-T` and `-t` put times first, and `-w` adds IP.
/// A process name may have commas and spaces, so what follows it is found from the line's end.
struct TcpstatesLayout {
  private(set) var isCSV = false
  /// How many of `TIME` and `TIME(s)` come first.
  private(set) var times = 0
  private(set) var hasIP = false

  init() {}

  /// `nil` if it isn't tcpstates' header.
  ///
  /// - Parameter header: the first line.
  init?(header: some Collection<UInt8>) {
    var names: [String]
    isCSV = header.contains(UInt8(ascii: ","))
    names = header.split { $0 == UInt8(ascii: isCSV ? "," : " ") }.map { String(decoding: $0, as: UTF8.self) }
    names.removeAll { $0 == "->" }
    while let name = names.first, name == "TIME" || name == "TIME(s)" {
      times += 1
      names.removeFirst()
    }
    hasIP = names.count == 11 && names[3] == "IP"
    if hasIP { names.remove(at: 3) }
    guard names.count == 10, names[0] == "SKADDR", ["PID", "C-PID"].contains(names[1]),
      names.suffix(6) == ["LPORT", "RADDR", "RPORT", "OLDSTATE", "NEWSTATE", "MS"]
    else { return nil }
  }

  /// Our columns whose values follow from it.
  var columns: [Column?] {
    let always: [Column?] = [
      .connectionID, .socketAddress, .role, .processPID, .processName, .networkType, .localAddress, .localPort,
      .peerAddress, .peerPort, .stateOld, .stateNew, .stateDuration, .durationKind, .actorPID, .actorName,
    ]
    return times > 0 ? always + [.timestamp] : always
  }

  /// The parts of one line.
  struct Parts {
    var times: [ArraySlice<UInt8>] = []
    var address: ArraySlice<UInt8> = []
    var pid: ArraySlice<UInt8> = []
    var name: ArraySlice<UInt8> = []
    /// Local address and port, remote address and port, old and new state, milliseconds.
    var rest: [ArraySlice<UInt8>] = []
  }

  /// - Returns: `nil` if the line has too few.
  func parts(of line: [UInt8]) -> Parts? {
    let separator = UInt8(ascii: isCSV ? "," : " ")
    var text = line[...]
    while let last = text.last, last == 13 || last == 32 { text.removeLast() }
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
