// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// `report` says what the rows say, and nothing else.
@Suite struct ReportReadTests {
  /// All samples one after the other, with a gap, and a socket older than the start.
  private static var rows: [Transition] {
    var rows = SampleTransitions.allCases.filter { $0 != .unknown }.flatMap(\.rows)
    var found = SampleTransitions.oneConnection.rows[1]
    found.connection = 0xf00d
    found.old = .closeWait
    found.new = .closeWait
    found.source = .snapshot
    found.stay = nil
    rows.insert(found, at: 0)
    for index in rows.indices { rows[index].sequence = UInt64(index < 5 ? index + 1 : index + 4) }
    return rows
  }

  /// As the live command folds them.
  private static func live(_ rows: [Transition]) -> String {
    var report = HTMLReport()
    var buffer = ByteBuffer()
    report.begin(to: &buffer)
    var sequence: UInt64 = 0
    for row in rows {
      report.receive(row, lossBefore: row.sequence - sequence - 1, to: &buffer)
      sequence = row.sequence
    }
    report.finish(to: &buffer)
    return buffer.text
  }

  /// By which command it was made differs.
  private static func withoutOrigin(_ page: String) -> String {
    page.replacingOccurrences(of: #"<script[^>]* id="origin">.*</script>\n?"#, with: "", options: .regularExpression)
  }

  @Test func sameBytesLiveAndReadBack() throws {
    let folder = try Folder()
    let page = Self.live(Self.rows)
    #expect(page.contains("\"lost\":3,\"gaps\":1"))
    for (name, text) in [("a.csv", Recording.csv(Self.rows)), ("a.jsonl", Recording.jsonLines(Self.rows))] {
      let path = try folder.write(name, text)
      let read = try Recording.run(["report", "--read", path]).outputText
      #expect(Self.withoutOrigin(read) == Self.withoutOrigin(page), "\(name)")
    }
  }

  @Test func filters() throws {
    let folder = try Folder()
    let path = try folder.write("a.csv", Recording.csv(Self.rows))
    func count(_ arguments: [String]) throws -> String {
      try Recording.run(["report", "--read", path, "--output", "\(folder.path)/a.html"] + arguments).errorLines.last
        .map(String.init) ?? ""
    }
    #expect(try count(["--state", "close-wait", "--process", "no-such"]).contains("0 connections in "))
    #expect(try count(["--local", "2001:db8::/32"]).contains("1 connection in "))
  }

  @Test func refusals() throws {
    let folder = try Folder()
    let path = try folder.write("a.csv", Recording.csv(Self.rows, [.timestamp, .stateOld, .stateNew]))
    let process = try Recording.run(["report", "--read", path], status: 65)
    #expect(process.errorText.contains("report needs the columns connection_id, local_address"))
    let good = try folder.write("b.csv", Recording.csv(Self.rows))
    let strict = try Recording.run(["report", "--read", good, "--strict"], status: 3)
    #expect(strict.errorText.contains("connections.\nIncomplete: "))
    #expect(try Recording.run(["report", "--read", good, "--format", "pdf"], status: 64).errorLines.count == 1)
    let terminal = try ChildProcess.run(["script", "-qec", "\(Tracer.binary) report --read \(good)", "/dev/null"])
    #expect(terminal.ending == .exited(64))
    #expect(terminal.outputText.contains("a report is not for a terminal; name a file: --output report.html"))
  }
}
