// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct TopFrameTests {
  private static let second: UInt64 = 1_000_000_000

  private static func facts(
    _ id: UInt64, _ state: TCPState, seconds: UInt64, pid: UInt32, _ name: String
  ) -> Transition {
    var row = Transition()
    row.connection = id
    (row.old, row.new) = (state, state)
    row.stay = Stay(nanoseconds: seconds * second, kind: seconds > 1000 ? .atLeast : .exact)
    row.role = id % 2 == 0 ? .server : .client
    (row.ownerPID, row.ownerName) = (pid, ShortName(name))
    row.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: id % 2 == 0 ? 443 : UInt16(50_000 + id))
    row.peer = Endpoint(address: IPAddress(v4: 0x0a00_0009), port: id % 2 == 0 ? UInt16(40_000 + id) : 5432)
    (row.bytesSent, row.bytesReceived) = (id * 1000, id * 48_120)
    row.retransmits = UInt32(id % 3)
    row.rttMicroseconds = 12_100
    (row.initialSendSequence, row.initialReceiveSequence) = (3_063_428_173, 918_230_011)
    return row
  }

  private static func listener(_ id: UInt64) -> Transition {
    var row = facts(id, .listen, seconds: 20_000, pid: 812, "nginx")
    row.peer = .none
    return row
  }

  private static let pasts: [UInt64: [TopStay]] = [
    1: [TopStay(state: .synSent, nanoseconds: 12_400_000)],
    2: [TopStay(state: .established, nanoseconds: 5760 * second)],
  ]

  private static let readings: [UInt64: TopReadings.Reading] = [
    1: TopReadings.Reading(
      SocketCounters(bytesSent: 1234, bytesReceived: 12_345_678_901, rttMicroseconds: 12_145, retransmits: 0),
      sendingRate: 0, receivingRate: 12_345_678),
    5: TopReadings.Reading(SocketCounters(bytesSent: 5000, bytesReceived: 240_600)),
  ]

  private static let board: TopBoard = {
    var board = TopBoard()
    (board.host, board.kernel) = ("web-1", "Linux 6.18")
    board.time = 1_700_000_000 * second
    board.perSecond = [0, 10, 300, 1204]
    board.lost = 3
    board.counts[Int(TCPState.established.number)] = [1, 20, 30, 37]
    board.counts[Int(TCPState.closeWait.number)] = [0, 0, 2, 4]
    board.counts[Int(TCPState.listen.number)] = [12, 12, 12, 12]
    var rows = [
      facts(1, .established, seconds: 31, pid: 8123, "curl"), facts(2, .closeWait, seconds: 11_520, pid: 812, "nginx"),
      facts(3, .established, seconds: 2, pid: 77, "a-long-name-so\u{1b}"),
      facts(4, .closeWait, seconds: 20, pid: 812, "nginx"), facts(6, .timeWait, seconds: 14, pid: 812, "nginx"),
      facts(8, .timeWait, seconds: 9, pid: 812, "nginx"), facts(5, .synSent, seconds: 3, pid: 9, "psql"),
      facts(7, .finWait1, seconds: 90, pid: 4_194_303, "データベース"), listener(10), listener(12),
    ]
    rows[6].peer.address = IPAddress(high: 0x2001_0db8_1111_2222, low: 0x3333_4444_5555_6666)
    rows[7].local.address = IPAddress(high: 0x2001_0db8_1111_2222, low: 0x3333_4444_5555_6666)
    rows[7].peer.address = IPAddress(high: 0x2001_0db8_aaaa_bbbb, low: 0xcccc_dddd_eeee_ffff)
    board.rows = rows.map { TopRow($0) }
    return board
  }()

  enum Scene: String, CaseIterable, Sendable {
    case list, detail, help, filtered, process, empty, ladder, columns, paused
    /// The list of a group, a detail screen with a live reading, and a recording.
    case group, held, recording, recordingHelp = "recording-help"
    /// Notes on what this kernel doesn't provide.
    case note, notes, notesHelp = "notes-help"
  }

  private static func view(_ scene: Scene) -> TopView {
    var view = TopView()
    switch scene {
    case .detail: view.screen = .detail(2)
    case .ladder: view.screen = .ladder(2)
    case .columns: (view.screen, view.columns) = (.columns, [.state, .owner, .local, .peer, .sent, .rtt, .states])
    case .paused: (view.isPaused, view.order, view.isReversed, view.opensTimeWait) = (true, .age, true, true)
    case .help: view.screen = .help
    case .filtered: (view.filter, view.isTyping) = ("nginx -time-wait", true)
    case .process: (view.grouping, view.selected) = (.process, 1)
    case .group: (view.grouping, view.group) = (.process, .process(ShortName("nginx"), 812))
    case .held: view.screen = .detail(2)
    case .recording: view.selected = 1
    case .recordingHelp, .notesHelp: view.screen = .help
    case .list, .empty, .note, .notes: break
    }
    return view
  }

  private static func board(_ scene: Scene) -> TopBoard {
    var board = scene == .empty ? TopBoard() : board
    if scene == .detail || scene == .held {
      board.facts = facts(2, .closeWait, seconds: 11_520, pid: 812, "nginx")
      board.past = pasts[2] ?? []
    }
    switch scene {
    case .ladder:
      board.life = TopLife.life(of: 2, [facts(2, .closeWait, seconds: 11_520, pid: 812, "nginx")]) { pasts[$0] ?? [] }
    case .paused: board.isPaused = true
    case .held:
      var socket = StuckSocket(connection: 2, state: .closeWait)
      socket.verdict = .shared
      socket.holders = [
        SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14),
        SocketHolder(pid: 813, name: ShortName("worker\u{1b}"), descriptor: 14),
      ]
      (socket.unreadBytes, socket.unsentBytes, socket.unacknowledgedBytes) = (600, 0, 0)
      let waits = ThreadActivity.Call("epoll_wait", waitsForEvents: true)
      let sends = ThreadActivity.Call("sendto", descriptors: [14])
      let threads = [
        ThreadActivity(id: 812, run: .sleeping, call: waits, idle: 2 * second),
        ThreadActivity(id: 815, run: .sleeping, call: sends, idle: 11_000 * second),
      ]
      var nginx = HolderActivity(pid: 812, threads: threads)
      nginx?.cpu = 75 * second
      let worker = HolderActivity(pid: 813, threads: [ThreadActivity(id: 813, run: .stopped)])
      socket.activities = [nginx, worker].compactMap { $0 }
      var flow = Transition()
      (flow.sendNext, flow.receiveNext, flow.sendUnacknowledged) = (3_063_430_174, 918_326_252, 3_063_430_174)
      (flow.sendWindowBytes, flow.receiveWindowBytes) = (65_536, 80_896)
      (flow.congestionWindowPackets, flow.slowStartThresholdPackets) = (10, 7)
      (flow.congestionControl, flow.rtoMicroseconds) = (ShortName("cubic"), 204_000)
      board.detail = TopDetail(time: board.time, socket: socket, flow: flow)
    case .note: board.notes = [less]
    case .notes, .notesHelp: board.notes = [crowded, less]
    case .recording, .recordingHelp:
      board.host = "t.csv"
      board.recording = TopBoard.Recording(
        start: board.time - 191 * second, end: board.time + 111 * second, step: 10 * second, isPlaying: true)
    default: break
    }
    return board
  }

  private static let less = "This kernel gives less: owners not corrected by who reads, no half-open requests."
  private static let crowded =
    "1,000,000 connections are tracked, the most that --max-connections allows; ends of TIME-WAIT, half-open requests, "
    + "and durations of new connections may be missing"

  private static let sizes = [
    (60, 24, false), (80, 24, false), (100, 30, false), (120, 30, false), (160, 50, false), (200, 50, false),
    (80, 24, true),
  ]

  private static func frame(_ scene: Scene, _ width: Int, _ height: Int, _ style: TableStyle) -> TopFrame {
    var frame = TopFrame(board(scene), view(scene), width: width, height: height, style: style)
    (frame.pasts, frame.readings) = (pasts, readings)
    return frame
  }

  private static func plain(_ line: String) -> String { line.replacing(/\u{1b}\[[0-9;]*m/, with: "") }

  @Test(arguments: Scene.allCases, [0, 1, 2, 3, 4, 5, 6]) func golden(_ scene: Scene, _ size: Int) throws {
    let (width, height, color) = Self.sizes[size]
    let lines = Self.frame(scene, width, height, TableStyle(color: color, utc: true)).lines()
    #expect(lines.count == height)
    for line in lines {
      let plain = Self.plain(line)
      #expect(DisplayWidth.of(plain) <= width, "\(plain)")
      #expect(!plain.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
    let name = "\(width)x\(height)\(color ? "-color" : "")/\(scene.rawValue).txt"
    if let difference = try Golden("top/\(name)").difference(from: Data((lines.joined(separator: "\n") + "\n").utf8)) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  /// No line is wider than the terminal, whatever is on it, whatever columns were chosen.
  @Test(arguments: Scene.allCases) func everySize(_ scene: Scene) {
    for columns in [nil, Set(TopColumn.allCases), [.peer]] as [Set<TopColumn>?] {
      for width in stride(from: 1, through: 230, by: 3) {
        for (height, color) in [(1, false), (5, true), (24, true)] {
          var view = Self.view(scene)
          view.columns = view.columns ?? columns
          var frame = TopFrame(
            Self.board(scene), view, width: width, height: height, style: TableStyle(color: color, utc: true))
          (frame.pasts, frame.readings) = (Self.pasts, Self.readings)
          let lines = frame.lines()
          #expect(lines.count == max(height, 4))
          #expect(lines.allSatisfy { DisplayWidth.of(Self.plain($0)) <= max(width, 20) })
        }
      }
    }
  }

  /// Ports and ages are never cut, and the port of this end is there at 80 columns.
  @Test(arguments: [60, 72, 80, 100, 120, 160, 200]) func whatIsNeverCut(_ width: Int) {
    let lines = Self.frame(.list, width, 30, TableStyle(utc: true)).lines()
    for line in lines where line.contains("ESTABLISHED  a-") || line.contains("CLOSE-WAIT   nginx") {
      #expect(width < 72 || line.contains(":443 ") || line.contains(":50003 "), "\(line)")
      #expect(line.contains("10.0.0.9:40002") || line.contains("10.0.0.9:40004") || line.contains("10.0.0.9:5432"))
    }
    #expect(lines.contains { $0.contains("≥ 3 h 12 m CLOSE-WAIT") })
  }

  /// Six digits and their comma fit the header, and so does a million.
  @Test(arguments: [60, 80, 120]) func largeCounts(_ width: Int) {
    var board = Self.board
    let row = board.rows[0]
    board.rows = Array(repeating: row, count: 100_000)
    let header = TopFrame(board, TopView(), width: width, height: 24, style: TableStyle()).lines()
    #expect(header.contains { $0.contains("ESTABLISHED 100,000") })
  }

  /// In every theme, `mono` too, colours are codes of sixteen, and without colour there is none.
  @Test(arguments: TopTheme.allCases) func themes(_ theme: TopTheme) {
    var view = TopView()
    view.theme = theme
    let codes = TopFrame(Self.board, view, width: 120, height: 30, style: TableStyle(color: true)).lines().joined()
      .matches(of: /\u{1b}\[([0-9;]*)m/).flatMap { $0.output.1.split(separator: ";").compactMap { Int($0) } }
    let isColored = codes.contains { (30...37).contains($0) || (90...97).contains($0) }
    #expect(codes.allSatisfy { [0, 1, 2, 4, 7].contains($0) || (30...37).contains($0) || (90...97).contains($0) })
    #expect(isColored == (theme != .mono) && codes.contains(7))
    let plain = TopFrame(Self.board, view, width: 120, height: 30, style: TableStyle()).lines().joined()
    #expect(!plain.contains("\u{1b}"))
  }

  /// What is copied has everything, however narrow the screen is.
  @Test func copiedLine() {
    let frame = Self.frame(.list, 60, 24, TableStyle(utc: true))
    let lines = (0..<6).compactMap { frame.plain($0) }
    #expect(lines.contains("≥ 3 h 12 m  CLOSE-WAIT  nginx/812  10.0.0.5:443  10.0.0.9:40002"))
    #expect(lines.contains { $0.contains("[2001:db8:1111:2222:3333:4444:5555:6666]:5432") })
    #expect(frame.plain(6) == "TIME-WAIT 2" && frame.plain(7) == nil && frame.plain(-1) == nil)
  }
}
