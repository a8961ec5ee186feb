// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateReport

/// `top` from its first frame to the last, on one thread.
struct TopSession: ~Copyable, Activity {
  /// A frame at least each second, and after a key, but never sooner than this after another.
  private static let leastPause: UInt64 = 100_000_000
  private static let second: UInt64 = 1_000_000_000
  /// Connections are collected for the frames of a second, however many keys ask for.
  private static let refresh: UInt64 = 900_000_000
  /// How long it is shown that something has happened.
  private static let noteTime: UInt64 = 30_000_000_000
  /// Seconds that sparklines remember.
  private static let memory = 60

  private var stream: LiveStream
  private var recorder: Recorder?
  private var screen: FullScreen?
  private var frame: TopFrame?
  private let filter: RowFilter
  private let style: TableStyle
  private var view = TopView()
  private var parser = KeyParser()
  private var board = TopBoard()
  private var history: TopHistory
  private var lastFrame: UInt64 = 0
  private var lastRows: UInt64 = 0
  /// Notes, and until when they are shown, CLOCK_MONOTONIC.
  private var notes: [(text: String, until: UInt64)] = []
  private var lastSample: UInt64 = 0
  /// Transitions of wanted connections, and how many of these were sampled.
  private var wanted: UInt64 = 0
  private var sampled: UInt64 = 0
  /// When the connection in detail is read again, CLOCK_MONOTONIC.
  private var nextDetail: UInt64 = 0
  /// When the sockets' counters are read again, CLOCK_MONOTONIC.
  private var nextRecount: UInt64 = 0
  /// Whether a key or a new size asks for a frame soon.
  private var isUrgent = true
  private var isGone = false

  init(_ stream: consuming LiveStream, recorder: consuming Recorder?, filter: RowFilter, style: TableStyle) {
    self.stream = stream
    self.recorder = recorder
    self.filter = filter
    history = TopHistory(localPorts: filter.localPorts)
    self.style = style
  }

  mutating func start(_ loop: borrowing EventLoop) throws {
    try stream.start { row, loss in Self.receive(&row, loss, filter, &wanted, &recorder, &history) }
    stream.forEachOpen { row in recorder?.receive(&row, lossBefore: 0) }
    notes = [NoticeText.shortfall(stream.source)].compactMap { $0 }.map { ($0, .max) }
    take(stream.takeNotices())
    var name = utsname()
    uname(&name)
    board.host = Self.text(&name.nodename)
    board.kernel = "Linux " + Self.text(&name.release).split(separator: ".").prefix(2).joined(separator: ".")
    screen = FullScreen()
    guard screen != nil else { throw Failure(.unavailable, "can't take the terminal over") }
    Confinement.filterTracing()
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
    loop.watch(0, events: EPOLLIN.rawValue)
    sample(KernelClock.monotonic())
    build()
  }

  private static func receive(
    _ row: inout Transition, _ loss: UInt64, _ filter: RowFilter, _ wanted: inout UInt64,
    _ recorder: inout Recorder?, _ history: inout TopHistory
  ) {
    recorder?.receive(&row, lossBefore: loss)
    if filter.wants(row) { wanted += 1 }
    history.receive(row)
  }

  func timeout() -> Int32 { stream.isBehind ? 0 : 70 }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    guard !isLast, try takeKeys() else { return }
    try stream.turn { row, loss in Self.receive(&row, loss, filter, &wanted, &recorder, &history) }
    take(stream.takeNotices())
    try recorder?.flush()
    let now = KernelClock.monotonic()
    if now - lastSample >= Self.second { sample(now) }
    guard now - lastFrame >= (isUrgent ? Self.leastPause : Self.second) else { return }
    try readDetail(now)
    try recount(now)
    build()
    if let frame { screen?.draw(frame.lines()) }
    lastFrame = now
    isUrgent = false
  }

  /// - Returns: false when the terminal has hung up.
  private mutating func takeKeys() throws -> Bool {
    let input = screen?.input() ?? []
    if input.isEmpty, screen?.isGone ?? true {
      isGone = true
      return false
    }
    for key in parser.keys(input) {
      view.handle(key, lines: frame?.listed ?? [], page: frame?.page ?? 0)
      isUrgent = true
    }
    return true
  }

  mutating func finish() throws {
    try recorder?.finish(
      lossAfter: stream.takeLossAfterLastRow(), at: KernelClock.monotonic() &+ stream.tracker.wallOffset)
  }

  mutating func resized() { isUrgent = true }
  mutating func interrupted() {}
  var isDone: Bool { view.wantsToQuit || isGone }

  private mutating func take(_ notices: [LiveNotice]) {
    for notice in notices {
      // Losses have a place of their own.
      if case .eventsLost = notice { continue }
      let text = NoticeText.string(notice)
      if notice.isLasting {
        notes.insert((text, .max), at: 0)
      } else {
        notes.append((text, KernelClock.monotonic() + Self.noteTime))
      }
    }
  }

  /// The processes that hold the connection in detail, and its windows, from the kernel's tables: as it is
  /// opened, and again so seldom that it takes at most a twentieth of the time.
  private mutating func readDetail(_ now: UInt64) throws {
    guard case .detail(let id) = view.screen, stream.source.canReadTables else {
      board.detail = nil
      return
    }
    guard board.detail?.socket.connection != id || now >= nextDetail else { return }
    board.detail = nil
    if let facts = board.rows.first(where: { $0.facts.connection == id })?.facts {
      board.detail = try DetailReader.read(stream, facts)
    }
    nextDetail = now + max(Self.second, 20 * (KernelClock.monotonic() - now))
  }

  /// Once a second: what the sparklines show.
  private mutating func sample(_ now: UInt64) {
    lastSample = now
    Self.remember(wanted - sampled, in: &board.perSecond)
    sampled = wanted
    let open = openCounts(now)
    for state in TCPState.all { Self.remember(open[Int(state.number)], in: &board.counts[Int(state.number)]) }
  }

  /// How many of the wanted sockets are in each state, by kernel number.
  private func openCounts(_ now: UInt64) -> [UInt64] {
    var open = [UInt64](repeating: 0, count: TCPState.arraySize)
    guard !filter.isOpen else {
      for state in TCPState.all { open[Int(state.number)] = stream.tracker.openCount(state) }
      return open
    }
    stream.tracker.forEachOpen(now: now) { row in
      if row.new.isKnown, filter.wants(row), filter.shows(row) { open[Int(row.new.number)] += 1 }
    }
    return open
  }

  /// Reads the counters of all connections, if they are shown: within a twentieth of the time.
  private mutating func recount(_ now: UInt64) throws {
    let isShown = (screen?.size.width ?? 0) >= TopFrame.countersWidth
    guard now >= nextRecount, isShown || view.order == .bytes || view.order == .retransmits else { return }
    let cost = try stream.recount()
    nextRecount = now + max(LiveStream.shortestRecount, LiveStream.recountShare * cost)
    lastRows = 0
  }

  private static func remember(_ value: UInt64, in values: inout [UInt64]) {
    if values.count == memory { values.removeFirst() }
    values.append(value)
  }

  private mutating func build() {
    let now = KernelClock.monotonic()
    board.time = now &+ stream.tracker.wallOffset
    board.lost = stream.lost
    board.transitions = wanted
    notes.removeAll { $0.until < now }
    board.notes = notes.map(\.text)
    if lastRows == 0 || now - lastRows >= Self.refresh { readRows(now) }
    let size = screen?.size ?? (width: 80, height: 24)
    frame = TopFrame(board, view, width: size.width, height: size.height, style: style)
  }

  /// The connections as they are now.
  private mutating func readRows(_ now: UInt64) {
    lastRows = now
    board.rows.removeAll(keepingCapacity: true)
    forgetLost()
    let (filter, history) = (filter, history)
    var rows = board.rows
    board.rows = []
    stream.tracker.forEachOpen(now: now) { row in
      guard row.new != .listen, filter.wants(row), filter.shows(row) else { return }
      rows.append(TopBoard.Row(facts: copy row, past: history.past(of: row.connection)))
    }
    board.rows = rows
  }

  /// Not every connection's end is seen.
  private mutating func forgetLost() {
    guard history.isOverfull(tracked: stream.tracker.trackedCount) else { return }
    var open: Set<UInt64> = []
    stream.tracker.forEachOpen(now: 0) { open.insert($0.connection) }
    history.keep(open)
  }

  /// A NUL-terminated member of utsname.
  private static func text<T>(_ member: inout T) -> String {
    withUnsafeBytes(of: &member) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
