// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateReport

/// What `lifecycle` shows: each connection as it ends, or its steps as they happen.
struct LifecyclePrinter: ~Copyable, OutputSink {
  /// Nanoseconds after which all rows have come: an end that nothing follows is drawn so late, so that
  /// live it comes at the place that it has when the rows are read back.
  private static let lag: UInt64 = 250_000_000

  private let selection: LifecycleSelection
  private let asJSON: Bool
  private let limit: UInt64?
  private let follows: Bool
  private var tracker: LifecycleTracker
  private var ladder: LifecycleLadder
  private var json: LifecycleJSON
  private var follow: LifecycleFollow
  private var file: OutputFile
  /// Connections with steps that are still to be shown.
  private var touched: Set<UInt64> = []
  private var now: UInt64 = 0
  private var shown: UInt64 = 0
  /// As the user gave it.
  private let connection: String?

  init(
    options: LifecycleOptions, selection: LifecycleSelection, limit: UInt64?
  ) throws {
    self.selection = selection
    self.limit = limit
    connection = options.connection
    asJSON = options.format == .jsonl
    follows = options.follow
    file = try options.destination.open()
    let isTerminal = isatty(file.descriptor) == 1
    let style = TableStyle(
      width: isTerminal ? Terminal.width(of: file.descriptor) : nil,
      color: options.color.applies(to: file.descriptor), utc: options.utc, glyphs: Terminal.glyphs(isTerminal))
    tracker = LifecycleTracker(waitsForTimeWait: options.timeWait)
    ladder = LifecycleLadder(style: style, relative: options.relative)
    json = LifecycleJSON(relative: options.relative)
    follow = LifecycleFollow(style: style, relative: options.relative, asJSON: asJSON)
  }

  var descriptor: Int32 { file.descriptor }
  var isDone: Bool { file.isClosed || limit.map { shown >= $0 } ?? false }
  var waiting: Int { file.waiting }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    guard !row.isFound, selection.mayMatter(row) else { return }
    var over: [Lifecycle] = []
    tracker.apply(row) { over.append($0) }
    for life in over { present(life) }
    if follows, tracker.life(of: row.connection) != nil { touched.insert(row.connection) }
  }

  mutating func advance(to now: UInt64) {
    self.now = max(self.now, now)
    var over: [Lifecycle] = []
    tracker.advance(to: now - min(now, Self.lag)) { over.append($0) }
    for life in over { present(life) }
    guard follows, !touched.isEmpty else { return }
    for connection in touched.sorted() {
      guard let life = tracker.life(of: connection) else {
        touched.remove(connection)
        continue
      }
      guard selection.wants(life) else { continue }
      if !follow.append(life, now: self.now, isLast: false, to: &file.pending) { touched.remove(connection) }
    }
  }

  mutating func finish() {
    var over: [Lifecycle] = []
    tracker.finish { over.append($0) }
    for life in over { present(life) }
    file.complete()
  }

  private mutating func present(_ life: Lifecycle) {
    guard !isDone, selection.wants(life) else { return }
    shown += 1
    if follows {
      follow.append(life, now: now, isLast: true, to: &file.pending)
    } else if asJSON {
      json.append(life, to: &file.pending)
    } else {
      ladder.append(life, to: &file.pending)
    }
  }

  mutating func flush() throws -> Bool { try file.flush() }

  mutating func closing(_ ending: RunEnding) -> ClosingText {
    if !ending.isRecorded {
      return ClosingText(text: "\(NumberText.string(shown)) connection\(shown == 1 ? "" : "s") drawn.\n")
    }
    guard shown == 0, let connection else { return ClosingText() }
    return ClosingText(
      text:
        "tcpstate-trace: \(ending.name) has no connection \(Message.printable(connection)) that the filters let through\n"
    )
  }

  mutating func measureTerminal() {
    guard isatty(file.descriptor) == 1 else { return }
    let width = Terminal.width(of: file.descriptor)
    ladder.resize(width: width)
    follow.resize(width: width)
  }
}
