// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// `summary --read`, by the program itself.
@Suite struct SummaryTests {
  private let folder: Folder

  init() throws { folder = try Folder() }

  /// Many connections of some processes and peers through their states; big enough to be read in parallel.
  private static func rows(_ count: Int) -> [Transition] {
    var random = SeededGenerator(seed: 11)
    let way: [TCPState] = [.closed, .synSent, .established, .finWait1, .finWait2, .timeWait, .closed]
    var steps = [Int](repeating: 0, count: 300)
    var ids = (0..<300).map { UInt64($0 + 1) }
    var sequence: UInt64 = 0
    return (0..<count).map { index in
      let socket = Int.random(in: 0..<300, using: &random)
      var row = SampleTransitions.oneConnection.rows[1]
      sequence += index % 1000 == 999 ? 4 : 1
      row.sequence = sequence
      row.time += UInt64(index) * 1_000_000
      row.connection = ids[socket]
      row.ownerName = ShortName(["nginx", "a,b", "two\nlines", "\"q\"", ""][socket % 5])
      row.peer.address = IPAddress(v4: 0x0a00_0000 + UInt32(socket % 37))
      row.peer.port = UInt16(1 + socket % 11)
      row.old = way[steps[socket]]
      row.new = way[steps[socket] + 1]
      row.stay = nil
      if row.old != .closed {
        row.stay = Stay(
          nanoseconds: UInt64.random(in: 0...(1 << UInt64.random(in: 8...40, using: &random)), using: &random),
          kind: Bool.random(using: &random) ? .exact : .atLeast)
      }
      row.source = row.old == .timeWait ? .derived : .event
      steps[socket] += 1
      if steps[socket] == way.count - 1 {
        steps[socket] = 0
        ids[socket] += 300
      }
      return row
    }
  }

  private static let options: [[String]] = [
    [], ["--by", "process"], ["--by", "peer,role", "--format", "csv"],
    ["--by", "remote-port,process", "--format", "jsonl"],
    ["--state", "fin-wait-2", "--longer-than", "1ms", "--histogram"], ["--process", "nginx", "-D", "1-5"],
    ["--diagram"], ["--histogram", "--by", "port"], ["--ends", "--by", "process,port"],
    ["--ends", "--format", "csv", "--by", "peer"],
  ]

  /// A big file is read by all CPUs at once, standard input by one: the same bytes come out, and the same is said.
  @Test func parallelIsTheSame() throws {
    let text = Recording.csv(Self.rows(90_000), Column.defaults)
    #expect(text.utf8.count > 17_000_000)
    let whole = try folder.write("a.csv", text)
    let cut = try folder.write("cut.csv", String(text.dropLast(40)))
    for (path, options) in Self.options.map({ (whole, $0) }) + [(cut, [])] {
      let parallel = try Recording.run(["summary", "--read", path] + options)
      let general = try Recording.run(
        ["sh", "-c", "exec \"$0\" summary --read - \"$@\" < '\(path)'", Tracer.binary] + options, bare: true)
      #expect(parallel.outputText == general.outputText, "\(options)")
      #expect(!parallel.output.isEmpty)
      #expect(parallel.errorText.replacing(path, with: "standard input") == general.errorText)
      // The last of the gaps is before the row that is cut.
      if options.isEmpty { #expect(parallel.errorText.contains("\(path == cut ? 267 : 270) lost, 0 unmatched")) }
    }
    // What is wrong is found by the general reader, with its line.
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = try #require(
      lines.indices.dropFirst(70_000).first { lines[$0].hasPrefix("20") && lines[$0 + 1].hasPrefix("20") })
    lines[line] = "nonsense"
    let bad = try folder.write("bad.csv", lines.joined(separator: "\n"))
    #expect(try Recording.run(["summary", "--read", bad], status: 65).errorText.contains("bad.csv:\(line + 1): "))
    #expect(try Recording.run(["summary", "--read", bad, "--skip-bad"]).errorText.contains("1 line was left out"))
  }

  /// Counts, sums and open sockets against the rows themselves, quantiles within 1 %.
  @Test func isRight() throws {
    let rows = Self.rows(20_000)
    let path = try folder.write("a.csv", Recording.csv(rows, Column.defaults))
    let table = try CSVTable(Recording.run(["summary", "--read", path, "--format", "csv", "--by", "process"]).output)
    var open: [UInt64: Transition] = [:]
    for row in rows { open[row.connection] = row.new == .closed ? nil : row }
    var lines = 0
    for name in Set(rows.map(\.ownerName)) {
      for state in TCPState.all {
        let stays = rows.filter { $0.ownerName == name && $0.old == state }.compactMap(\.stay).map(\.nanoseconds)
          .sorted()
        let openNow = open.values.count { $0.ownerName == name && $0.new == state }
        guard !stays.isEmpty || openNow > 0 else { continue }
        lines += 1
        let row = try #require(
          table.rows.first { $0["process_name"] == name.description && $0["state"] == state.name(.openTelemetry) })
        #expect(row.number("stays") == UInt64(stays.count))
        #expect(row.number("open_now") == UInt64(openNow))
        #expect(row.number("total_ns") == stays.reduce(0, +))
        #expect(row.number("longest_ns") == stays.last)
        for (column, share) in [("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99)] where !stays.isEmpty {
          let truth = Double(stays[Int((Double(stays.count) * share).rounded(.up)) - 1])
          #expect(abs(Double(row.number(column) ?? 0) - truth) <= 0.01 * truth + 1, "\(column)")
        }
      }
    }
    #expect(table.rows.count == lines)
  }

  /// Transitions and ends against the rows themselves.
  @Test func movesAndEnds() throws {
    var rows = Self.rows(20_000)
    for index in rows.indices where rows[index].new == .timeWait {
      rows[index].reason = index % 3 == 0 ? .resetSent : .fin
    }
    let path = try folder.write("a.csv", Recording.csv(rows, Column.defaults))
    let ends = try CSVTable(Recording.run(["summary", "--read", path, "--format", "csv", "--ends"]).output)
    let entered = rows.filter { $0.new == .timeWait }
    #expect(ends.rows.count == 2)
    for (reason, name) in [(Reason.fin, "fin"), (Reason.resetSent, "reset_sent")] {
      let row = try #require(ends.rows.first { $0["reason"] == name })
      #expect(row.number("ends") == UInt64(entered.count { $0.reason == reason }))
    }
    let diagram = try Recording.run(["summary", "--read", path, "--diagram"]).outputText
    for move in [Move(.closed, .synSent), Move(.finWait1, .finWait2), Move(.timeWait, .closed)] {
      let count = NumberText.string(UInt64(rows.count { $0.old == move.old && $0.new == move.new }))
      #expect(diagram.contains(" \(count)"), "\(move): \(count) in\n\(diagram)")
    }
    #expect(!diagram.contains("NOT IN THE FIGURE"))
  }

  @Test func top() throws {
    let path = try folder.write("a.csv", Recording.csv(Self.rows(5_000), Column.defaults))
    let lines = try Recording.run(["summary", "--read", path, "--by", "peer", "--top", "2"]).outputText.split(
      separator: "\n")
    // Once with their stays, once with their ends.
    #expect(lines.count { $0.hasPrefix("10.0.0.") } == 4)
    #expect(lines.count { $0.hasPrefix("35 others") } == 2)
  }

  @Test func refusals() throws {
    let path = try folder.write("a.csv", Recording.csv(Recording.rows(3), [.connectionID, .stateOld, .stateNew]))
    func fails(_ arguments: [String], _ status: Int32, _ text: String) throws {
      let errors = try Recording.run(["summary"] + arguments, status: status).errorText
      #expect(errors.contains(text), "\(errors)")
    }
    try fails(["--read", path], 65, "a.csv:1: summary needs the column state_duration_ns")
    try fails(["--read", path, "--by", "process"], 65, "needs the columns state_duration_ns, process_name")
    let typo = try folder.write("typo.csv", "connection_id,state_old,state_nwe,state_duration_ns\n")
    try fails(["--read", typo], 65, "typo.csv:1: summary needs the column state_new; the header has 'state_nwe'")
    try fails(["--by", "proces"], 64, "--by: 'proces' is none of state, process")
    try fails(["--by", "role,peer,process"], 64, "--by: more than two")
    try fails(["--by", "role,role"], 64, "--by: role is there twice")
    try fails(["--histogram", "--format", "csv"], 64, "--histogram goes with --format table")
    try fails(
      ["--diagram", "--by", "role"], 64, "--diagram draws all connections in one figure, it can't go with --by")
    try fails(["--diagram", "--format", "jsonl"], 64, "--diagram goes with --format table")
    try fails(["--ends", "--histogram"], 64, "--ends has no stays to draw")
    try fails(["--in-kernel", "--ends"], 64, "it can't go with --ends")
    try fails(["--read", path, "--by", "port"], 65, "needs the columns state_duration_ns, role, local_port, peer_port")
    try fails(["--read", path, "--record", "b.csv"], 64, "--record: the input is a recording already")
  }
}
