import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `top` from its first frame to the last, on one thread.
struct TopSession: ~Copyable {
  /// A frame at least each second, and after a key, but never sooner than this after another.
  private static let leastPause: UInt64 = 100_000_000
  private static let second: UInt64 = 1_000_000_000
  /// Connections are collected for the frames of a second, however many keys ask for.
  private static let refresh: UInt64 = 900_000_000
  /// How long it is shown that something has happened.
  private static let noteTime: UInt64 = 30_000_000_000
  /// Seconds that sparklines remember.
  private static let memory = 60

  private let loop: EventLoop
  private var stream: LiveStream
  private let filter: RowFilter
  private let style: TableStyle
  private var view = TopView()
  private var parser = KeyParser()
  private var board = TopBoard()
  private var history: TopHistory
  private var losses = LossReport()
  private var lastFrame: UInt64 = 0
  private var lastRows: UInt64 = 0
  /// Notes, and until when they are shown, CLOCK_MONOTONIC.
  private var notes: [(text: String, until: UInt64)] = []
  private var lastSample: UInt64 = 0
  private var sampled: UInt64 = 0
  /// When the connection in detail is read again, CLOCK_MONOTONIC.
  private var nextDetail: UInt64 = 0

  init(loop: consuming EventLoop, stream: consuming LiveStream, filter: RowFilter, style: TableStyle) {
    self.loop = loop
    self.stream = stream
    self.filter = filter
    history = TopHistory(localPorts: filter.localPorts)
    self.style = style
  }

  mutating func run(readExisting: Bool) throws {
    try stream.start(readExisting: readExisting) { row, _ in history.receive(row) }
    stream.handOnExisting()
    notes = [stream.shortfall, Rights.limit(stream.source)].compactMap { $0 }.map { ($0, .max) }
    var name = utsname()
    uname(&name)
    board.host = Self.text(&name.nodename)
    board.kernel = "Linux " + Self.text(&name.release).split(separator: ".").prefix(2).joined(separator: ".")
    guard let screen = FullScreen() else { throw Failure(.unavailable, "can't take the terminal over") }
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
    loop.watch(0, events: EPOLLIN.rawValue)
    sample(KernelClock.monotonic())
    var frame = build(screen)
    while !view.wantsToQuit {
      var isUrgent = lastFrame == 0
      for signal in loop.wait(milliseconds: stream.isBehind ? 0 : 70) {
        guard signal == SIGWINCH else { return }
        isUrgent = true
      }
      let input = screen.input()
      if input.isEmpty, screen.isGone { return }
      for key in parser.keys(input) {
        view.handle(key, lines: frame.listed, page: frame.page)
        isUrgent = true
      }
      try turn()
      let now = KernelClock.monotonic()
      if now - lastSample >= Self.second { sample(now) }
      guard now - lastFrame >= (isUrgent ? Self.leastPause : Self.second) else {
        // A key that came too soon is drawn by the next round.
        if isUrgent { lastFrame = now &- Self.second &+ Self.leastPause }
        continue
      }
      try readDetail(now)
      frame = build(screen)
      screen.draw(frame.lines())
      lastFrame = now
    }
  }

  /// Who holds the connection in detail, and its windows, from the kernel's tables: as it is
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

  private mutating func turn() throws {
    stream.pump { row, _ in history.receive(row) }
    stream.checkLosses()
    for notice in stream.takeNotices() {
      if notice.holds {
        notes.insert((notice.text, .max), at: 0)
      } else {
        notes.append((notice.text, KernelClock.monotonic() + Self.noteTime))
      }
    }
    if stream.needsTables, losses.mayRead { try stream.readTables { row, _ in history.receive(row) } }
    try stream.followSilent { row, _ in history.receive(row) }
    try stream.flushRecorder()
  }

  /// Once a second: what the sparklines show.
  private mutating func sample(_ now: UInt64) {
    lastSample = now
    Self.remember(stream.transitions - sampled, in: &board.perSecond)
    sampled = stream.transitions
    for state in TCPState.all {
      Self.remember(stream.tracker.openCount(state), in: &board.counts[Int(state.number)])
    }
  }

  private static func remember(_ value: UInt64, in values: inout [UInt64]) {
    if values.count == memory { values.removeFirst() }
    values.append(value)
  }

  private mutating func build(_ screen: borrowing FullScreen) -> TopFrame {
    let now = KernelClock.monotonic()
    board.time = now &+ stream.tracker.wallOffset
    board.lost = stream.lost
    board.transitions = stream.transitions
    notes.removeAll { $0.until < now }
    board.notes = notes.map(\.text)
    if lastRows == 0 || now - lastRows >= Self.refresh { readRows(now) }
    let size = screen.size
    return TopFrame(board, view, width: size.width, height: size.height, style: style)
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

  /// Not every connection's end is told.
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
