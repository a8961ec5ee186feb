// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// The page as text: its data, and that none of it can become markup.
@Suite struct HTMLReportTests {
  static func page(_ rows: [Transition], losses: [Int: UInt64] = [:], limit: UInt64 = 1000) -> String {
    var report = HTMLReport(limit: limit)
    var buffer = ByteBuffer()
    report.begin(to: &buffer)
    for (index, row) in rows.enumerated() { report.receive(row, lossBefore: losses[index] ?? 0, to: &buffer) }
    report.finish(to: &buffer)
    return buffer.text
  }

  /// The JSON of the script elements whose start tag contains `mark`.
  static func data(_ page: String, _ mark: String) throws -> [Any] {
    try page.components(separatedBy: "<script type=\"application/json\"").dropFirst().compactMap { part in
      guard let tag = part.firstIndex(of: ">"), part[..<tag].contains(mark) else { return nil }
      let text = part[part.index(after: tag)...].components(separatedBy: "</script>")[0]
      return try JSONSerialization.jsonObject(with: Data(text.utf8))
    }
  }

  static func totals(_ page: String) throws -> [String: Any] {
    try #require(try data(page, "id=\"totals\"").first as? [String: Any])
  }

  @Test func counts() throws {
    var script = LifeScript()
    script.handshake()
    script.orderlyClose(.client, at: 5_800_000)
    let page = Self.page(script.rows, losses: [3: 7])
    let totals = try Self.totals(page)
    #expect(totals["rows"] as? Int == script.rows.count)
    #expect(totals["shownRows"] as? Int == script.rows.count)
    #expect(totals["lives"] as? Int == 1)
    #expect(totals["ends"] as? Int == 2)
    #expect(totals["lost"] as? Int == 7)
    #expect(totals["gaps"] as? Int == 1)
    #expect(totals["unmatched"] as? Int == 0)
    let lives = try #require(try Self.data(page, "\"lives\"").first as? [[Any]])
    let ladders = try #require(try Self.data(page, "\"ladders\"").first as? [[Any]])
    #expect(lives.count == 1 && ladders.count == 1)
    let client = try #require(lives[0][0] as? [Any])
    #expect(client[0] as? String == "00000000000a3f11")
    #expect((client[10] as? [Any])?.count == 5 * script.rows.count { $0.role == .client })
    #expect((ladders[0][5] as? [Any])?.count == script.lives()[0].steps.count)
  }

  @Test func contradictionsAreCounted() throws {
    var script = LifeScript()
    script.handshake()
    script.rows.remove(at: 2)  // the server's LISTEN → SYN-RECEIVED
    script.orderlyClose(.client, at: 5_800_000)
    #expect(try Self.totals(Self.page(script.rows))["unmatched"] as? Int == 0, "a first row contradicts nothing")
    let wait = try #require(script.rows.firstIndex { $0.new == .finWait1 })
    script.rows.remove(at: wait)
    #expect(try Self.totals(Self.page(script.rows))["unmatched"] as? Int == 1)
  }

  /// A socket that was open before the start is a connection even if nothing happens to it.
  @Test func found() throws {
    var script = LifeScript()
    script.go(.server, .closeWait, at: 0) { row in
      row.old = .closeWait
      row.source = .snapshot
      row.stay = nil
    }
    let page = Self.page(script.rows)
    #expect(try Self.totals(page)["ends"] as? Int == 1)
    let lives = try #require(try Self.data(page, "\"lives\"").first as? [[Any]])
    let server = try #require(lives[0][1] as? [Any])
    #expect(server[9] as? [Int] == [8, 0])
    #expect((server[10] as? [Any])?.isEmpty == true)
  }

  /// The page's words are the code's tables, and its script's few constants agree with them.
  @Test func words() throws {
    let page = Self.page([])
    let words = try #require(try Self.data(page, "id=\"words\"").first as? [String: Any])
    let states = try #require(words["states"] as? [[Any]])
    #expect(states.map { $0[0] as? Int } == TCPState.all.map { Int($0.number) })
    #expect(states.map { $0[1] as? String } == TCPState.all.map { $0.name(.rfc) })
    #expect(states.map { $0[3] as? String } == TCPState.all.map { $0.name(.openTelemetry) })
    #expect(words["roles"] as? [String] == Role.allCases.map { $0.name.description })
    let reasons = try #require(words["reasons"] as? [String])
    #expect(reasons.count == Reason.allCases.count && Set(reasons).count == reasons.count && !reasons.contains(""))
    for (name, state) in [
      ("ESTABLISHED", .established), ("TIME_WAIT", .timeWait), ("CLOSED", .closed), ("LISTEN", .listen),
    ] as [(String, TCPState)] {
      #expect(page.contains("\nconst \(name) = \(state.number);\n"))
    }
  }

  /// The figure has every arrow of the state machine once, within its size.
  @Test func figure() throws {
    let words = try #require(try Self.data(Self.page([]), "id=\"words\"").first as? [String: Any])
    let figure = try #require(words["figure"] as? [String: [[Any]]])
    let lines = try #require(figure["lines"])
    let moves = lines.map { "\($0[0])-\($0[1])" }
    #expect(Set(moves) == Set(StateMachine.arrows.map { "\($0.move.old.number)-\($0.move.new.number)" }))
    #expect(moves.count == StateMachine.arrows.count)
    #expect(lines.allSatisfy { $0[2] as? String != "" && $0.count >= 11 && $0.count % 2 == 1 })
    #expect(try #require(figure["places"]).count == TCPState.all.count + 1, "CLOSED is there twice")
  }

  /// Why a connection ended is that of the row that ended it: what becomes of its TIME-WAIT is no reason.
  @Test func endReason() throws {
    var script = LifeScript()
    script.handshake()
    script.orderlyClose(.client, at: 5_800_000)
    let index = try #require(script.rows.lastIndex { $0.new == .timeWait })
    script.rows[index].reason = .fin
    let over = try #require(script.rows.lastIndex { $0.old == .timeWait && $0.new == .closed })
    script.rows[over].reason = .reused
    let lives = try #require(try Self.data(Self.page(script.rows), "\"lives\"").first as? [[Any]])
    let client = try #require(lives[0][0] as? [Any])
    #expect(client[8] as? Int == Int(Reason.reused.rawValue) && client[16] as? Int == Int(Reason.fin.rawValue))
    var open = LifeScript()
    open.handshake()
    let still = try #require(try Self.data(Self.page(open.rows), "\"lives\"").first as? [[Any]])
    #expect((still[0][0] as? [Any])?[16] is NSNull)
  }

  /// Where the page comes from stays text, whatever it is called; without it there is nothing.
  @Test func origin() throws {
    let hostile = "</script><b>\u{202e}\""
    var report = HTMLReport(
      origin: ReportOrigin(version: "1", command: hostile, recordings: [hostile], host: hostile, kernel: nil))
    var buffer = ByteBuffer()
    report.begin(to: &buffer)
    report.finish(to: &buffer)
    let origin = try #require(try Self.data(buffer.text, "id=\"origin\"").first as? [String: Any])
    #expect(origin["command"] as? String == hostile && origin["recordings"] as? [String] == [hostile])
    #expect(origin["host"] as? String == hostile && origin["kernel"] is NSNull)
    let plain = Self.page([])
    #expect(
      buffer.text.components(separatedBy: "</script").count == plain.components(separatedBy: "</script").count + 1)
    #expect(!buffer.text.contains("\u{202e}") && !plain.contains("id=\"origin\">"))
  }

  @Test func endedConnectionsBeyondTheLimitAreOnlyCounted() throws {
    var script = LifeScript()
    script.handshake()
    script.orderlyClose(.client, at: 5_800_000)
    let page = Self.page(script.rows, limit: 0)
    #expect(try Self.totals(page)["lives"] as? Int == 1)
    #expect(try Self.totals(page)["omitted"] as? Int == 1)
    #expect(try Self.data(page, "\"lives\"").isEmpty)
  }

  @Test(arguments: [
    "</script>", "<!--<script>", "\"'`&", "a,b\"c\\d", "\u{1b}[2J", "\u{202e}gpj.exe", "\r\n\t", "😀<b>",
  ])
  func hostileNames(_ name: String) throws {
    var script = LifeScript()
    script.client.ownerName = ShortName(name)
    script.handshake()
    let page = Self.page(script.rows)
    let plain = Self.page(LifeScript().rows)
    #expect(page.components(separatedBy: "<script").count == plain.components(separatedBy: "<script").count + 2)
    #expect(page.components(separatedBy: "</script").count == plain.components(separatedBy: "</script").count + 2)
    let lives = try #require(try Self.data(page, "\"lives\"").first as? [[Any]])
    let client = try #require(lives[0][0] as? [Any])
    #expect(client[3] as? String == NameText.visibleString(ShortName(name)))
  }

  /// A recording keeps U+FFFD for bytes that aren't UTF-8, at most 16 bytes in all.
  @Test func invalidBytesLookTheSameLiveAndRecorded() throws {
    for bytes in [[0xff], [0x61, 0xc3, 0x28], Array(repeating: 0x80, count: 15)] as [[UInt8]] {
      var live = LifeScript()
      live.client.ownerName = ShortName(bytes: bytes)
      live.handshake()
      var read = LifeScript()
      read.client.ownerName = ShortName(String(decoding: bytes, as: UTF8.self))
      read.handshake()
      #expect(Self.page(live.rows) == Self.page(read.rows))
    }
  }
}
