// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateProgram
import TCPStateReport

/// `top` from its first frame to the last, on one thread.
struct TopSession: ~Copyable, Activity {
  /// What is shown, and how.
  struct Plan {
    var filter: RowFilter
    var style: TableStyle
    var settings: TopSettings
    /// Notes that stay, one sentence each.
    var notes: [String]
  }

  /// A frame at least each second, and after a key, but never sooner than this after another.
  private static let leastPause: UInt64 = 100_000_000
  private static let second: UInt64 = 1_000_000_000
  /// Connections are collected for the frames of a second, however many keys ask for.
  private static let refresh: UInt64 = 900_000_000
  /// How long it is shown that something has happened.
  private static let noteTime: UInt64 = 30_000_000_000
  /// Seconds that sparklines remember.
  private static let memory = 60

  private let plan: Plan
  private var files: UserFiles?
  private var screen: TopScreen?
  private var board = TopBoard()
  private var readings = TopReadings()
  private var lastFrame: UInt64 = 0
  private var lastRows: UInt64 = 0
  /// Notes, and until when they are shown, CLOCK_MONOTONIC.
  private var notes: [(text: String, until: UInt64)] = []
  private var lastSample: UInt64 = 0
  /// Transitions that were sampled.
  private var sampled: UInt64 = 0
  /// What had been typed into the filter when the last sample was taken.
  private var sampledFilter = ""
  /// When the connection in detail is read again, CLOCK_MONOTONIC.
  private var nextDetail: UInt64 = 0
  /// When the sockets' counters are read again, CLOCK_MONOTONIC.
  private var nextRecount: UInt64 = 0
  /// Whether a key or a new size asks for a frame soon.
  private var isUrgent = true
  private var isGone = false
  private var wantsToQuit = false
  var stream: LiveStream
  var recorder: Recorder?
  var taker: TopTaker

  init(
    _ stream: consuming LiveStream, recorder: consuming Recorder?, files: consuming UserFiles, _ plan: Plan
  ) {
    self.stream = stream
    self.recorder = recorder
    self.files = consume files
    self.plan = plan
    taker = TopTaker(filter: plan.filter)
  }

  mutating func start(_ loop: borrowing EventLoop) throws {
    try stream.start { row, loss in taker.take(&row, loss, &recorder) }
    stream.forEachOpen { row in recorder?.receive(&row, lossBefore: 0) }
    notes = ([NoticeText.shortfall(stream.source)].compactMap { $0 } + plan.notes).map { ($0, .max) }
    take(stream.takeNotices())
    var name = utsname()
    uname(&name)
    board.host = Self.text(&name.nodename)
    board.kernel = "Linux " + Self.text(&name.release).split(separator: ".").prefix(2).joined(separator: ".")
    guard let files = files.take() else { return }  // never: it starts once
    screen = try TopScreen(style: plan.style, settings: plan.settings, files: files)
    Confinement.filterTracing()
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
    loop.watch(0, events: EPOLLIN.rawValue)
    try draw(KernelClock.monotonic())
  }

  func timeout() -> Int32 { stream.isBehind ? 0 : 70 }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    guard !isLast, takeKeys() else { return }
    try stream.turn { row, loss in taker.take(&row, loss, &recorder) }
    take(stream.takeNotices())
    try recorder?.flush()
    let now = KernelClock.monotonic()
    if screen?.wantsExport ?? false { try export(now) }
    guard now - lastFrame >= (isUrgent ? Self.leastPause : Self.second) else { return }
    try draw(now)
  }

  /// - Returns: false when the terminal has hung up.
  private mutating func takeKeys() -> Bool {
    guard let count = screen?.takeKeys() else {
      isGone = true
      return false
    }
    if count > 0 { isUrgent = true }
    if let view = screen?.view {
      taker.setTyped(view.filter)
      wantsToQuit = view.wantsToQuit
    }
    return true
  }

  mutating func finish() throws {
    try recorder?.finish(
      lossAfter: stream.takeLossAfterLastRow(), at: KernelClock.monotonic() &+ stream.tracker.wallOffset)
  }

  mutating func resized() { isUrgent = true }
  mutating func interrupted() {}
  var isDone: Bool { wantsToQuit || isGone }

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

  // MARK: - Frames

  private mutating func draw(_ now: UInt64) throws {
    guard let view = screen?.view else { return }
    // A board that stands still needs a change of its own to be drawn anew, and nothing of the kernel.
    let stands = view.isPaused && lastRows > 0
    let isFresh = stands ? false : try collect(now, view)
    board.isPaused = view.isPaused
    guard var frame = screen?.prepare(board, isFresh: isFresh) else { return }
    if isFresh, now - lastSample >= Self.refresh { sample(frame.list, now) }
    if !view.isPaused {
      let shown = frame.shown
      try read(shown, now)
      // The samples and readings are newer than the frame.
      guard let newer = screen?.prepare(board, isFresh: false) else { return }
      frame = newer
    }
    frame.pasts = Dictionary(
      frame.shown.map { ($0.connection, taker.history.past(of: $0.connection)) },
      uniquingKeysWith: { first, _ in first })
    frame.readings = readings.all
    screen?.draw(frame)
    lastFrame = now
    isUrgent = false
  }

  /// Brings the board up to date.
  ///
  /// - Returns: whether its rows are new.
  private mutating func collect(_ now: UInt64, _ view: TopView) throws -> Bool {
    board.time = now &+ stream.tracker.wallOffset
    board.lost = stream.lost
    board.transitions = taker.wanted
    notes.removeAll { $0.until < now }
    board.notes = notes.map(\.text)
    try recount(now, view)
    let isNew = lastRows == 0 || now - lastRows >= Self.refresh || view.wanted != board.facts?.connection
    if isNew { readRows(now, view.wanted) }
    try readDetail(now, view)
    board.life = nil
    if case .ladder(let id) = view.screen { board.life = life(of: id, now) }
    return isNew
  }

  /// The connections as they are now.
  private mutating func readRows(_ now: UInt64, _ wanted: UInt64?) {
    lastRows = now
    forgetLost()
    let filter = plan.filter
    var rows: [TopRow] = []
    rows.reserveCapacity(board.rows.count + 64)
    var facts: Transition?
    stream.tracker.forEachOpen(now: now) { row in
      guard filter.wants(row), filter.shows(row) else { return }
      rows.append(TopRow(row))
      if row.connection == wanted { facts = copy row }
    }
    board.rows = rows
    board.facts = facts
    board.past = wanted.map { taker.history.past(of: $0) } ?? []
  }

  /// Not every connection's end is seen.
  private mutating func forgetLost() {
    guard taker.history.isOverfull(tracked: stream.tracker.trackedCount) else { return }
    var open: Set<UInt64> = []
    stream.tracker.forEachOpen(now: 0) { open.insert($0.connection) }
    taker.history.keep(open)
  }

  /// The life of a connection and, if both ends are on this host, the other's.
  private func life(of id: UInt64, _ now: UInt64) -> Lifecycle? {
    guard let mine = board.facts, mine.connection == id else { return nil }
    var ends = [mine]
    stream.tracker.forEachOpen(now: now) { row in
      if row.local == mine.peer, row.peer == mine.local, row.connection != id { ends.append(copy row) }
    }
    return TopLife.life(of: id, ends) { taker.history.past(of: $0) }
  }

  /// The processes that hold the connection in detail, and its windows, from the kernel's tables: as it is
  /// opened, and again so seldom that it takes at most a twentieth of the time.
  private mutating func readDetail(_ now: UInt64, _ view: TopView) throws {
    guard case .detail(let id) = view.screen, stream.source.canReadTables else {
      board.detail = nil
      return
    }
    guard board.detail?.socket.connection != id || now >= nextDetail else { return }
    board.detail = nil
    if let facts = board.facts { board.detail = try DetailReader.read(stream, facts) }
    nextDetail = now + max(Self.second, 20 * (KernelClock.monotonic() - now))
  }

  /// Reads the counters of all connections, if they are sorted by these: within a fiftieth of the time.
  private mutating func recount(_ now: UInt64, _ view: TopView) throws {
    guard now >= nextRecount, view.order == .bytes || view.order == .retransmits else { return }
    let cost = try stream.recount()
    nextRecount = now + max(LiveStream.shortestRecount, LiveStream.recountShare * cost)
    lastRows = 0
  }

  /// Reads what the sockets on the screen count, as often as the screen changes.
  private mutating func read(_ shown: [TopRow], _ now: UInt64) throws {
    let ids = shown.map(\.connection)
    let due = readings.due(ids, at: now, pause: Self.refresh)
    guard !due.isEmpty else { return }
    let own = NetworkNamespaces.own ?? 0
    let names = shown.filter { due.contains($0.connection) && $0.state.isSynchronized && $0.state != .timeWait }.map {
      SocketName(
        cookie: $0.connection, local: $0.local, peer: $0.peer, interface: $0.interface ?? 0, netns: $0.netns ?? own)
    }
    let counters = try stream.source.readCounters(of: names)
    readings.take(counters, asked: due, shown: ids, at: KernelClock.monotonic())
  }

  private mutating func export(_ now: UInt64) throws {
    // Counters that may have changed since they were read would be missing.
    _ = try stream.recount()
    var facts: [UInt64: Transition] = [:]
    stream.tracker.forEachOpen(now: KernelClock.monotonic()) { row in facts[row.connection] = copy row }
    screen?.export(at: now &+ stream.tracker.wallOffset, facts)
    isUrgent = true
  }

  /// Once a second: what the sparklines show.
  private mutating func sample(_ list: TopList, _ now: UInt64) {
    lastSample = now
    if taker.typed != sampledFilter {
      // What was counted before went through another filter.
      sampledFilter = taker.typed
      board.perSecond = []
      for state in TCPState.all { board.counts[Int(state.number)] = [] }
    }
    Self.remember(taker.wanted - min(sampled, taker.wanted), in: &board.perSecond)
    sampled = taker.wanted
    for state in TCPState.all {
      Self.remember(list.counts[Int(state.number)], in: &board.counts[Int(state.number)])
    }
  }

  private static func remember(_ value: UInt64, in values: inout [UInt64]) {
    if values.count == memory { values.removeFirst() }
    values.append(value)
  }

  /// A NUL-terminated member of utsname.
  private static func text<T>(_ member: inout T) -> String {
    withUnsafeBytes(of: &member) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
