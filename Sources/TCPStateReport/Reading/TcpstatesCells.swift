// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Reads lines of tcpstates into transitions, without its faults.
///
/// - Its process is the one that ran on the CPU. It counts as the actor where only a system call
///   makes the transition, and as the owner from there on.
/// - 0.000 ms stands for a beginning that it didn't see, so it is unknown.
/// - It takes the swap to a TIME-WAIT or FIN-WAIT-2 minisock for the end, and sees SYN-RECEIVED begin
///   late: such stays are lower bounds.
/// - The kernel reuses a socket's address, so each life gets an id of its own.
/// - It prints rows of one socket out of order (`TcpstatesOrder`), and calls that change no state, such as close() in
///   FIN-WAIT-2: these are no rows, and the stay goes on.
struct TcpstatesCells {
  private static let day: UInt64 = 86_400_000_000_000

  private struct Socket {
    var generation: UInt64 = 0
    var role = Role.unknown
    var ownerPID: UInt32?
    var ownerName = ShortName()
    var isClosed = false
    /// How long it was in its state up to the last row that left it there, and whether that is known.
    var stayed: UInt64 = 0
    var isStayKnown = true
  }

  /// Rows left out, because they were printed long after later rows of their socket.
  var late: UInt64 { order.late }

  var hasReady: Bool { taken < ready.count }

  /// The next row whose turn it is.
  mutating func takeReady() -> Transition? {
    guard taken < ready.count else { return nil }
    taken += 1
    defer {
      if taken == ready.count {
        ready.removeAll(keepingCapacity: true)
        taken = 0
      }
    }
    return ready[taken - 1]
  }

  /// No more lines follow.
  mutating func finish() {
    var order = order
    order.finish { settle($0) }
    self.order = order
  }

  /// Whether a terminal wrote it: the echo of Ctrl-C, as in bcc's own example.
  static func isEcho(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    line.count >= 2 && line.count <= 4 && line[0] == UInt8(ascii: "^") && (0x40...0x5f).contains(line[1])
      && line.dropFirst(2).allSatisfy { $0 == 32 || $0 == 13 || $0 == UInt8(ascii: "^") || (0x40...0x5f).contains($0) }
  }

  var layout = TcpstatesLayout()
  private var order = TcpstatesOrder()
  /// Rows in order, those up to `taken` handed on already.
  private var ready: [Transition] = []
  private var taken = 0
  private var sockets: [UInt64: Socket] = [:]
  /// The last row's time of day, and how many midnights have passed.
  private var clock: UInt64 = 0
  private var days: UInt64 = 0
  /// The time of the first event, from which its seconds count, once the clock shows it.
  private var offset: Int64?
  /// Nanoseconds east of UTC, less than a day: its times of day are local. glibc takes zones of up to a week, but
  /// the date is unknown, so whole days of them mean nothing, and no time may come out before the epoch.
  private let zone = ClockText.localOffset(at: 86_400) % 86_400 * 1_000_000_000

  /// Takes in a line; `takeReady` has the rows that this completes.
  mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, line: UInt64) throws(RecordingError) {
    var row = Transition()
    guard let parts = layout.parts(of: Array(bytes)) else {
      throw RecordingError(line: line, "is not a line of tcpstates: \(RecordingError.quoted(bytes))")
    }
    func wrong(_ part: ArraySlice<UInt8>, _ what: String) -> RecordingError {
      RecordingError(line: line, "\(RecordingError.quoted(part)) is not \(what)")
    }
    func text(_ part: ArraySlice<UInt8>) -> String { String(decoding: part, as: UTF8.self) }
    func endpoint(_ index: Int) throws(RecordingError) -> Endpoint {
      guard let address = IPAddress(parsing: text(parts.rest[index])) else {
        throw wrong(parts.rest[index], "an IP address")
      }
      guard let port = UInt16(text(Self.whole(parts.rest[index + 1]))) else {
        throw wrong(parts.rest[index + 1], "a port")
      }
      return Endpoint(address: address, port: port)
    }
    func state(_ index: Int) throws(RecordingError) -> TCPState {
      guard let state = TCPState(parsing: text(parts.rest[index])) else { throw wrong(parts.rest[index], "a state") }
      return state
    }
    guard let address = UInt64(text(parts.address), radix: 16) else { throw wrong(parts.address, "a socket address") }
    let pid = UInt32(text(Self.whole(parts.pid)))
    guard pid != nil || Self.isUnknown(parts.pid) else { throw wrong(parts.pid, "a process id") }
    row.local = try endpoint(0)
    row.peer = try endpoint(2)
    row.old = try state(4)
    row.new = try state(5)
    let duration = Self.isUnknown(parts.rest[6]) ? 0 : Self.decimal(parts.rest[6], scale: 6)
    guard let duration else { throw wrong(parts.rest[6], "milliseconds") }
    row.time = try time(parts.times, line)
    guard row.time <= TransitionReader.latest else {
      throw RecordingError(line: line, "has a time after the year 2262")
    }
    row.socketAddress = address
    if duration > 0 { row.stay = Stay(nanoseconds: duration, kind: Self.kind(row.old, row.new)) }
    let name = parts.isUnquoted ? Array(parts.name) : Self.unquoted(parts.name)
    let next = TcpstatesOrder.Line(
      address: address, pid: pid, name: pid == nil ? ShortName() : ShortName(bytes: name), row: row)
    var order = order
    self.order = TcpstatesOrder()  // so that it isn't copied
    order.add(next) { settle($0) }
    self.order = order
  }

  /// A whole number as pandas writes it where others in the column are missing: 73785.0.
  private static func whole(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let point = part.firstIndex(of: UInt8(ascii: ".")), point > part.startIndex,
      part[(point + 1)...].allSatisfy({ $0 == 48 })
    else { return part }
    return part[..<point]
  }

  /// Whether it is how `tcpstate-trace tcpstates` writes unknown, in the table or in CSV.
  private static func isUnknown(_ part: ArraySlice<UInt8>) -> Bool {
    part.isEmpty || part.elementsEqual([UInt8(ascii: "-")]) || part.elementsEqual("nan".utf8)
      || part.elementsEqual("NaN".utf8)
  }

  /// tcpstate-trace puts names in quotes if needed (RFC 4180); BCC doesn't.
  private static func unquoted(_ name: ArraySlice<UInt8>) -> [UInt8] {
    let quote = UInt8(ascii: "\"")
    guard name.count >= 2, name.first == quote, name.last == quote else { return Array(name) }
    var result: [UInt8] = []
    var isSecond = false
    for byte in name.dropFirst().dropLast() {
      isSecond = byte == quote && !isSecond
      if byte != quote || isSecond { result.append(byte) }
    }
    return result
  }

  private static func kind(_ old: TCPState, _ new: TCPState) -> DurationKind {
    let isSwap = new == .closed && (old == .finWait2 || old == .closing)
    return isSwap || old == .synReceived ? .atLeast : .exact
  }

  /// Adds what follows from the socket's earlier rows.
  private mutating func settle(_ line: TcpstatesOrder.Line) {
    let (address, pid, name) = (line.address, line.pid, line.name)
    var row = line.row
    var socket = sockets[address] ?? Socket()
    if socket.isClosed || row.old == .closed || (row.old == .listen && row.new == .synReceived) {
      let isFirst = sockets[address] == nil
      let generation = socket.generation
      socket = Socket()
      socket.generation = isFirst ? 0 : generation + 1
    }
    switch (row.old, row.new) {
    case (.closed, .synSent), (.synSent, _): socket.role = .client
    case (.closed, .listen), (.listen, .closed): socket.role = .listener
    case (.listen, .synReceived): socket.role = .server
    case (.synReceived, _) where socket.role == .unknown: socket.role = .server
    default: break
    }
    if let pid, Self.isByCall(row.old, row.new) {
      row.actorPID = pid
      row.actorName = name
      socket.ownerPID = pid
      socket.ownerName = name
    }
    guard row.old != row.new else {
      if let stay = row.stay {
        socket.stayed = socket.stayed.saturatingAdding(stay.nanoseconds)
      } else {
        socket.isStayKnown = false
      }
      sockets[address] = socket
      return
    }
    if let stay = row.stay, socket.stayed > 0 || !socket.isStayKnown {
      row.stay = Stay(
        nanoseconds: stay.nanoseconds.saturatingAdding(socket.stayed),
        kind: socket.isStayKnown ? stay.kind : .atLeast)
    }
    (socket.stayed, socket.isStayKnown) = (0, true)
    socket.isClosed = row.new == .closed
    row.role = socket.role
    row.ownerPID = socket.ownerPID
    row.ownerName = socket.ownerName
    // The upper 16 bits of a kernel address are all ones.
    row.connection = address & 0xffff_ffff_ffff | socket.generation << 48
    sockets[address] = socket
    ready.append(row)
  }

  /// Whether only a process's system call makes this transition.
  private static func isByCall(_ old: TCPState, _ new: TCPState) -> Bool {
    switch (old, new) {
    case (.closed, .synSent), (.closed, .listen), (.listen, .closed), (.established, .finWait1),
      (.closeWait, .lastAck), (.finWait2, .finWait2):
      true
    default: false
    }
  }

  /// With both columns, the first time of day, in whole seconds, plus the seconds since then; 0 with neither.
  private mutating func time(_ parts: [ArraySlice<UInt8>], _ line: UInt64) throws(RecordingError) -> UInt64 {
    guard let last = parts.last else { return 0 }
    let time = try time(last, line)
    guard parts.count == 2 else { return time }
    let known: Int64
    if let offset {
      known = offset
    } else {
      known = try Int64(clamping: self.time(parts[0], line)) - Int64(clamping: time)
      offset = known
    }
    return UInt64(clamping: Int64(clamping: time).addingReportingOverflow(known).partialValue)
  }

  /// `11:14:20` of an unknown day, or seconds since the first event: both count from
  /// 2 January 1970, because 0 is no time.
  private mutating func time(_ part: ArraySlice<UInt8>, _ line: UInt64) throws(RecordingError) -> UInt64 {
    let fields = part.split(separator: UInt8(ascii: ":")).map { UInt64(String(decoding: $0, as: UTF8.self)) }
    if fields.count == 3, let hour = fields[0], let minute = fields[1], let second = fields[2], hour < 24,
      minute < 60, second < 61
    {
      let now = (hour * 3600 + minute * 60 + second) * 1_000_000_000
      if now + Self.day / 2 < clock { days += 1 }
      clock = now
      return UInt64(Int64((days + 1) * Self.day + now) - zone)
    }
    // One of our rows may be written later than its time, which may be before the first row's.
    if part.first == UInt8(ascii: "-"), let before = Self.decimal(part.dropFirst(), scale: 9), before < Self.day {
      return Self.day - before
    }
    guard fields.count == 1, let seconds = Self.decimal(part, scale: 9) else {
      throw RecordingError(line: line, "\(RecordingError.quoted(part)) is not a time")
    }
    return Self.day.saturatingAdding(seconds)
  }

  /// A decimal number in units of 10^-scale; `nil` if it isn't one.
  private static func decimal(_ text: ArraySlice<UInt8>, scale: Int) -> UInt64? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = UInt64(String(decoding: parts[0], as: UTF8.self)), parts[0].first != 43 else {
      return nil
    }
    var value = whole
    var digits = parts.count == 2 ? parts[1] : []
    // pandas writes 0.31100000000000005; what is below the unit means nothing.
    guard digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
    digits = digits.prefix(scale)
    while digits.count < scale { digits.append(48) }
    for digit in digits {
      guard (48...57).contains(digit), case let (shifted, overflow) = value.multipliedReportingOverflow(by: 10),
        !overflow, case let (sum, more) = shifted.addingReportingOverflow(UInt64(digit - 48)), !more
      else { return nil }
      value = sum
    }
    return value
  }
}
