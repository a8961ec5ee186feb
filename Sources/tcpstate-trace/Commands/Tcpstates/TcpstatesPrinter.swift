// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// What `tcpstates` shows: BCC's line for each transition, and its entry in the journal.
struct TcpstatesPrinter: ~Copyable, OutputSink {
  private let filter: RowFilter
  private let limit: UInt64?
  private let showsTimeWait: Bool
  private var writer: TcpstatesWriter
  private let journal: JournalSocket?
  private let isRoot = geteuid() == 0
  private var held: HeldRows
  private var file: OutputFile
  private var failure: Failure?
  private var shown: UInt64 = 0
  /// The socket of each connection whose next row may come from a minisock, which isn't that socket.
  private var sockets: [UInt64: UInt64] = [:]

  init(options: TcpstatesOptions, filter: RowFilter, limit: UInt64?) throws {
    let journal = options.journal ? try JournalSocket(path: options.journalSocket ?? JournalSocket.defaultPath) : nil
    let file = try options.destination.open()
    self.filter = filter
    self.limit = limit
    self.journal = journal
    showsTimeWait = options.timeWait
    held = HeldRows(filter)
    writer = TcpstatesWriter(style: options.style(terminalSafe: isatty(file.descriptor) == 1))
    self.file = file
  }

  mutating func begin() throws {
    var header = ByteBuffer(capacity: 1024)
    writer.appendHeader(to: &header)
    try file.appendHeader(header)
  }

  var readsOnly: Bool { journal == nil }
  var wantsReadings: Bool { false }
  var descriptor: Int32 { file.descriptor }
  var isDone: Bool { file.isClosed || limit.map { shown >= $0 } ?? false }
  var waiting: Int { file.waiting }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    guard row.old != row.new else { return }  // a socket that was there before, in a recording
    if held.holds(row) { return }
    if let earlier = held.release(row) { show(earlier) }
    show(row)
  }

  mutating func waitsForPorts(now: UInt64) -> Bool { held.needReading(now: now) }

  mutating func learnPort(_ connection: UInt64, _ port: UInt16) {
    guard port != 0, let row = held.release(connection, port: port) else { return }
    show(row)
  }

  mutating func learnedPorts(at time: UInt64) { held.dropOlder(than: time) }

  private mutating func show(_ row: borrowing Transition) {
    guard filter.wants(row) else { return }
    let socket = socket(of: row)
    if !showsTimeWait, row.old == .timeWait { return }
    var line = copy row
    if !showsTimeWait, line.new == .timeWait { line.new = .closed }  // all that the kernel reports
    guard filter.shows(line), !isDone else { return }
    shown += 1
    writer.append(line, socket: socket, to: &file.pending)
    if let journal { journal.add(JournalEntry(line, namesProcess: !isNamedByJournal(line)).bytes) }
    if file.isFullBlock { writeBlock() }
  }

  /// The socket's address, from an earlier row if need be.
  private mutating func socket(of row: borrowing Transition) -> UInt64? {
    let (old, new, connection) = (row.old, row.new, row.connection)
    let socket = row.socketAddress ?? sockets[connection]
    if new == .finWait2 || (new == .timeWait && showsTimeWait) {
      sockets[connection] = socket
    } else if old == .finWait2 || old == .timeWait {
      sockets[connection] = nil
    }
    return socket
  }

  /// Whether journald adds the owner's name itself, as it does for a privileged sender while the process is there.
  private func isNamedByJournal(_ row: borrowing Transition) -> Bool {
    guard isRoot, let pid = row.ownerPID else { return false }
    return kill(pid_t(pid), 0) == 0 || errno == EPERM
  }

  @inline(never)
  private mutating func writeBlock() {
    guard failure == nil else { return }
    do throws(Failure) {
      _ = try file.flush()
    } catch {
      failure = error
    }
  }

  mutating func finish() {
    file.complete()
    do throws(Failure) {
      try journal?.finish()
    } catch {
      failure = error
    }
  }

  mutating func flush() throws -> Bool {
    if let failure { throw failure }
    try journal?.flush()
    return try file.flush()
  }

  mutating func closing(_ ending: RunEnding) -> ClosingText { ClosingText() }
}
