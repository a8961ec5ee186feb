// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct TopFrameTests {
  private static let second: UInt64 = 1_000_000_000

  private static func row(
    _ id: UInt64, _ state: TCPState, seconds: UInt64, pid: UInt32, _ name: String, past: [TopStay] = []
  ) -> TopBoard.Row {
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
    return TopBoard.Row(facts: row, past: past)
  }

  private static let board: TopBoard = {
    var board = TopBoard()
    (board.host, board.kernel) = ("web-1", "Linux 6.18")
    board.time = 1_700_000_000 * second
    board.perSecond = [0, 10, 300, 1204]
    board.lost = 3
    board.counts[Int(TCPState.established.number)] = [1, 20, 30, 37]
    board.counts[Int(TCPState.closeWait.number)] = [0, 0, 2, 4]
    board.counts[Int(TCPState.listen.number)] = [12, 12, 12, 12]
    board.rows = [
      row(1, .established, seconds: 31, pid: 8123, "curl", past: [TopStay(state: .synSent, nanoseconds: 12_400_000)]),
      row(
        2, .closeWait, seconds: 11_520, pid: 812, "nginx",
        past: [TopStay(state: .established, nanoseconds: 5760 * second)]
      ),
      row(3, .established, seconds: 2, pid: 77, "a-long-name-so\u{1b}"),
      row(4, .closeWait, seconds: 60, pid: 812, "nginx"), row(6, .timeWait, seconds: 14, pid: 812, "nginx"),
    ]
    var wide = row(5, .synSent, seconds: 3, pid: 9, "psql")
    wide.facts.peer.address = IPAddress(high: 0x2001_0db8_1111_2222, low: 0x3333_4444_5555_6666)
    board.rows.append(wide)
    return board
  }()

  enum Scene: String, CaseIterable, Sendable {
    case list, detail, help, filtered, process, empty
    /// The list of a group, a detail screen with a live reading, and a recording.
    case group, held, recording, recordingHelp = "recording-help"
    /// Notes on what this kernel doesn't provide.
    case note, notes, notesHelp = "notes-help"
  }

  private static func view(_ scene: Scene) -> TopView {
    var view = TopView()
    switch scene {
    case .detail: view.screen = .detail(2)
    case .help: view.screen = .help
    case .filtered: (view.filter, view.isTyping) = ("nginx", true)
    case .process: (view.grouping, view.selected) = (.process, 1)
    case .group: (view.grouping, view.group) = (.process, "nginx/812")
    case .held: view.screen = .detail(2)
    case .recording: view.selected = 1
    case .recordingHelp, .notesHelp: view.screen = .help
    case .list, .empty, .note, .notes: break
    }
    return view
  }

  private static func board(_ scene: Scene) -> TopBoard {
    var board = scene == .empty ? TopBoard() : board
    switch scene {
    case .held:
      var socket = StuckSocket(connection: 2, state: .closeWait)
      socket.verdict = .shared
      socket.holders = [
        SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14),
        SocketHolder(pid: 813, name: ShortName("worker\u{1b}"), descriptor: 14),
      ]
      (socket.unreadBytes, socket.unsentBytes, socket.unacknowledgedBytes) = (600, 0, 0)
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

  private static let sizes = [(80, 24, false), (160, 50, false), (80, 24, true)]

  @Test(arguments: Scene.allCases, [0, 1, 2]) func golden(_ scene: Scene, _ size: Int) throws {
    let (width, height, color) = Self.sizes[size]
    let frame = TopFrame(
      Self.board(scene), Self.view(scene), width: width, height: height,
      style: TableStyle(color: color, utc: true))
    let lines = frame.lines()
    #expect(lines.count == height)
    for line in lines {
      let plain = line.replacing(/\u{1b}\[[0-9;]*m/, with: "")
      #expect(DisplayWidth.of(plain) <= width, "\(plain)")
      #expect(!plain.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }
    let name = "\(width)x\(height)\(color ? "-color" : "")/\(scene.rawValue).txt"
    if let difference = try Golden("top/\(name)").difference(from: Data((lines.joined(separator: "\n") + "\n").utf8)) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  /// A frame has the right size whatever the terminal's is.
  @Test func everySize() {
    for width in stride(from: 1, through: 200, by: 7) {
      for height in [1, 2, 5, 10, 24] {
        let lines = TopFrame(Self.board, TopView(), width: width, height: height, style: TableStyle()).lines()
        #expect(lines.count == max(height, 4))
        #expect(lines.allSatisfy { DisplayWidth.of($0) <= max(width, 20) || width < 26 })
      }
    }
  }

  @Test func keys() {
    var view = TopView()
    var lines: [TopView.Line] = [.connection(5), .connection(6), .connection(7)]
    func press(_ keys: TopView.Key...) {
      for key in keys { view.handle(key, lines: lines, page: 2) }
    }
    press(.down, .down, .down)
    #expect(view.selected == 2)
    press(.up, .enter)
    #expect(view.screen == .detail(6))
    press(.escape, .character("b"))
    #expect(view.screen == .list && view.order == .bytes && view.selected == 0)
    press(.character("/"), .character("q"), .character("x"), .backspace)
    #expect(view.filter == "q" && view.isTyping && !view.wantsToQuit)
    press(.enter, .character("g"), .character("?"))
    #expect(!view.isTyping && view.grouping == .process && view.screen == .help)
    press(.character("?"))
    lines = [.group("a"), .group("b")]
    press(.down, .enter)
    #expect(view.group == "b" && view.screen == .list && view.selected == 0 && !view.showsGroups)
    lines = [.connection(9)]
    press(.enter)
    #expect(view.screen == .detail(9))
    press(.escape)
    #expect(view.group == "b" && view.screen == .list)
    press(.escape)
    #expect(view.group == nil && view.selected == 1 && view.filter == "q")
    press(.escape)
    #expect(view.filter.isEmpty && view.screen == .list)
    press(.left)
    #expect(view.takeTravel() == .back && view.takeTravel() == nil)
    press(.character("."))
    #expect(view.takeTravel() == .next)
    press(.character("q"))
    #expect(view.wantsToQuit)
  }
}
