// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Transitions as BCC's tcpstates prints them, so that programs that read its output read ours.
///
/// Where BCC prints a wrong 0, because a duration or an owner isn't known or the duration is
/// only a lower bound, the table has `-` and CSV an empty cell. Every line has as many fields
/// as BCC's. A name in CSV is in quotes if needed (RFC 4180).
public struct TcpstatesWriter: Sendable {
  /// Widths of the table's columns, as in `printf`'s `%-Ns`.
  private struct Widths {
    var name = 10
    var address = 15
  }

  private let style: TcpstatesStyle
  private let widths: Widths
  private let csvStyle: CSVStyle
  private var clock: ClockText
  /// The first row's time, from which `-t` counts.
  private var start: UInt64?

  public init(style: TcpstatesStyle = TcpstatesStyle()) {
    self.style = style
    widths = style.wide ? Widths(name: 16, address: 39) : Widths()
    csvStyle = CSVStyle(terminalSafe: style.terminalSafe)
    clock = ClockText(utc: style.utc)
  }

  /// Appends the header and its line end.
  public func appendHeader(to buffer: inout ByteBuffer) {
    var names: [(String, Int)] = []
    if style.time { names.append(("TIME", 8)) }
    if style.timestamp { names.append(("TIME(s)", 9)) }
    names += [("SKADDR", 16), ("C-PID", 5), ("C-COMM", widths.name)]
    if style.wide || style.csv { names.append(("IP", 2)) }
    names += [("LADDR", widths.address), ("LPORT", 5), ("RADDR", widths.address), ("RPORT", 5)]
    names += [("OLDSTATE", 11)]
    for (name, width) in names {
      let begin = buffer.count
      buffer.append(name)
      separate(from: begin, width: width, in: &buffer)
    }
    if style.csv {
      buffer.append("NEWSTATE,MS\n")
    } else {
      buffer.append("-> NEWSTATE    MS\n")
    }
  }

  /// Appends one row and its line end.
  ///
  /// - Parameter socket: the kernel's address of the socket; without one, the
  ///   connection's id takes its place, which distinguishes sockets as well.
  public mutating func append(_ row: Transition, socket: UInt64?, to buffer: inout ByteBuffer) {
    if style.time {
      let begin = buffer.count
      clock.append(row.time, precision: .seconds, to: &buffer)
      separate(from: begin, width: 8, in: &buffer)
    }
    if style.timestamp {
      let start = start ?? row.time
      self.start = start
      put(9, in: &buffer) { Self.append(seconds: Int64(bitPattern: row.time &- start), to: &$0) }
    }
    put(16, in: &buffer) { buffer in
      if let socket { buffer.append(String(socket, radix: 16)) } else { buffer.append(hex16: row.connection) }
    }
    put(5, in: &buffer) { buffer in
      if let pid = row.ownerPID { buffer.append(decimal: UInt64(pid)) } else { appendUnknown(to: &buffer) }
    }
    appendName(row.ownerName, to: &buffer)
    if style.wide || style.csv { put(2, in: &buffer) { $0.append(row.isIPv4 ? "4" : "6") } }
    append(row.local, of: row, to: &buffer)
    append(row.peer, of: row, to: &buffer)
    put(11, in: &buffer) { $0.append(row.old.name(.kernel)) }
    if !style.csv { buffer.append("-> ") }
    put(11, in: &buffer) { $0.append(row.new.name(.kernel)) }
    if let stay = row.stay, stay.kind == .exact {
      Self.append(milliseconds: stay.nanoseconds, to: &buffer)
    } else {
      appendUnknown(to: &buffer)
    }
    buffer.append(UInt8(ascii: "\n"))
  }

  private func put(_ width: Int, in buffer: inout ByteBuffer, _ cell: (inout ByteBuffer) -> Void) {
    let begin = buffer.count
    cell(&buffer)
    separate(from: begin, width: width, in: &buffer)
  }

  /// Ends a cell of plain ASCII that began at `begin`.
  private func separate(from begin: Int, width: Int, in buffer: inout ByteBuffer) {
    if style.csv {
      buffer.append(UInt8(ascii: ","))
    } else {
      buffer.append(spaces: max(0, width - (buffer.count - begin)) + 1)
    }
  }

  private func appendUnknown(to buffer: inout ByteBuffer) {
    if !style.csv { buffer.append(UInt8(ascii: "-")) }
  }

  private func append(_ end: Endpoint, of row: borrowing Transition, to buffer: inout ByteBuffer) {
    var begin = buffer.count
    if end.address.isUnspecified {
      buffer.append(row.isIPv4 ? "0.0.0.0" : "::")
    } else {
      AddressText.append(end.address, to: &buffer)
    }
    separate(from: begin, width: widths.address, in: &buffer)
    begin = buffer.count
    buffer.append(decimal: UInt64(end.port))
    separate(from: begin, width: 5, in: &buffer)
  }

  private func appendName(_ name: ShortName, to buffer: inout ByteBuffer) {
    guard !style.csv else {
      var cursor = buffer.cursor(room: NameText.room)
      if !name.isEmpty { cursor.put(csv: name, csvStyle) }
      cursor.put(UInt8(ascii: ","))
      return buffer.commit(cursor)
    }
    var width = 0
    if name.isEmpty {
      appendUnknown(to: &buffer)
      width = 1
    } else {
      // Truncated as by BCC; an escape counts with all its columns.
      for scalar in NameText.visibleString(name).unicodeScalars {
        let columns = DisplayWidth.of(scalar)
        guard width + columns <= widths.name else { break }
        buffer.append(String(scalar))
        width += columns
      }
    }
    buffer.append(spaces: widths.name - width + 1)
  }

  /// `%.6f` of nanoseconds, truncated; negative for a row that is written later than its time.
  private static func append(seconds nanoseconds: Int64, to buffer: inout ByteBuffer) {
    let microseconds = nanoseconds.magnitude / 1000
    if nanoseconds < 0, microseconds > 0 { buffer.append(UInt8(ascii: "-")) }
    buffer.append(microseconds, decimals: 6)
  }

  /// `%.3f` of whole microseconds, as in BCC.
  private static func append(milliseconds nanoseconds: UInt64, to buffer: inout ByteBuffer) {
    buffer.append(nanoseconds / 1000, decimals: 3)
  }
}
