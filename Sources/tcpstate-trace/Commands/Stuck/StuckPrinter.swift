// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// Writes what `stuck` has found.
struct StuckPrinter: ~Copyable {
  private var file: OutputFile
  private let options: OutputOptions
  private let view: StuckView
  private var csv: StuckCSV
  private var json: StuckJSON
  private var line: StuckLine
  /// Whether the reader is gone.
  var isClosed: Bool { file.isClosed }

  /// - Parameter states: those that are looked for.
  init(_ options: OutputOptions, _ fields: [StuckField], _ view: StuckView, states: Set<TCPState>) throws(Failure) {
    self.options = options
    self.view = view
    file = try options.destination.open()
    csv = StuckCSV(
      fields: fields,
      style: CSVStyle(
        nullText: options.nullText ?? "", excelSafe: options.excelSafe, terminalSafe: isatty(file.descriptor) == 1))
    json = StuckJSON(fields: fields)
    line = StuckLine(style: Self.style(options, file.descriptor), states: states)
  }

  /// - Parameter readsNames: whether this machine's namespaces are asked for, which a recording isn't about.
  private static func style(_ options: OutputOptions, _ descriptor: Int32, readsNames: Bool = true) -> StuckStyle {
    let isTerminal = isatty(descriptor) == 1
    return StuckStyle(
      table: TableStyle(
        width: isTerminal ? Terminal.width(of: descriptor) : nil, color: options.color.applies(to: descriptor),
        utc: options.utc, glyphs: isTerminal ? .ofLocale : .unicode),
      ownNamespace: readsNames ? NetworkNamespaces.inode(of: "/proc/self/ns/net") : nil,
      namespaces: readsNames ? NetworkNamespaces.names() : [:])
  }

  /// - Parameters:
  ///   - time: when the reading was made, nanoseconds since the epoch.
  ///   - isLive: whether it is of this machine now, so that what the machine knows of it holds.
  mutating func print(_ reading: StuckReading, at time: UInt64, isLive: Bool) throws(Failure) {
    let cgroups = isLive ? Self.cgroups(of: reading) : [:]
    switch options.format {
    case .table:
      var style = Self.style(options, file.descriptor, readsNames: isLive)
      style.cgroups = cgroups
      if !isLive {
        // Namespaces are shown where there are several.
        style.ownNamespace = reading.listed.first?.netns
        style.namespaces = [:]
      }
      StuckTable(reading, style: style, view: view).append(to: &file.pending, header: !options.noHeader)
    case .csv:
      try appendHeader()
      for socket in reading.sockets { csv.append(socket, time: time, cgroups: cgroups, to: &file.pending) }
      for socket in reading.uncertain {
        csv.append(socket, .uncertain, time: time, cgroups: cgroups, to: &file.pending)
      }
    case .jsonl:
      for socket in reading.sockets { json.append(socket, time: time, cgroups: cgroups, to: &file.pending) }
      for socket in reading.uncertain {
        json.append(socket, .uncertain, time: time, cgroups: cgroups, to: &file.pending)
      }
    }
    file.complete()
    try writeOut()
  }

  // MARK: - Watching

  mutating func beginWatch() throws(Failure) { try appendHeader() }

  private mutating func appendHeader() throws(Failure) {
    guard !options.noHeader, options.format != .jsonl else { return }
    var header = ByteBuffer(capacity: 1024)
    if options.format == .csv { csv.appendHeader(to: &header) } else { line.appendHeader(to: &header) }
    try file.appendHeader(header)
  }

  /// Whether rows of `--watch` have the paths of cgroups.
  var showsCgroups: Bool { options.format != .table }

  /// - Parameters:
  ///   - time: nanoseconds since the epoch.
  ///   - cgroups: paths by cgroup id.
  mutating func append(_ socket: StuckSocket, _ event: StuckEvent, at time: UInt64, cgroups: [UInt64: String]) {
    switch options.format {
    case .table: line.append(socket, event, time: time, to: &file.pending)
    case .csv: csv.append(socket, event, time: time, cgroups: cgroups, to: &file.pending)
    case .jsonl: json.append(socket, event, time: time, cgroups: cgroups, to: &file.pending)
    }
  }

  /// Whose those are that are still there, and what those in TIME-WAIT use up, in the table alone.
  mutating func append(closing reading: StuckReading) {
    guard options.format == .table, !reading.listed.isEmpty || !reading.timeWait.isEmpty else { return }
    file.pending.append(UInt8(ascii: "\n"))
    var style = Self.style(options, file.descriptor)
    style.cgroups = Self.cgroups(of: reading)
    StuckTable(reading, style: style, view: view).append(to: &file.pending)
  }

  /// The terminal's size has changed.
  mutating func measureTerminal() {
    guard options.format == .table, isatty(file.descriptor) == 1 else { return }
    if line.resize(width: Terminal.width(of: file.descriptor)) { line.appendHeader(to: &file.pending) }
  }

  var descriptor: Int32 { file.descriptor }
  /// Whether the reader is so far behind that no more should be produced.
  var isBackedUp: Bool { file.waiting > OutputFile.highWater }

  /// Writes what the reader takes now.
  ///
  /// - Returns: the bytes that wait for it.
  @discardableResult
  mutating func flush() throws(Failure) -> Int {
    try file.flush() ? file.waiting : 0
  }

  static func count(_ number: Int, _ noun: String) -> String {
    "\(NumberText.string(UInt64(number))) \(noun)\(number == 1 ? "" : "s")"
  }

  private static func cgroups(of reading: StuckReading) -> [UInt64: String] {
    var ids: Set<UInt64> = []
    for socket in reading.listed {
      if let id = socket.cgroup { ids.insert(id) }
    }
    return CgroupPaths.find(ids)
  }

  /// All of it, at the reader's pace; a reader that goes away, as `head` does, has had enough.
  mutating func writeOut() throws(Failure) { try file.writeOut() }
}
