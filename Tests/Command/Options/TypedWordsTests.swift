// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import tcpstate_trace

/// What users of ss, tcpdump and htop type first, and what happens.
@Suite struct TypedWordsTests {
  private static let recording = TestFile.url("Tests/Report/Fixtures/one-connection/all.csv").path

  private static func rows(_ process: ChildProcess) -> Int { process.outputText.split(separator: "\n").count }

  @Test func subcommands() {
    let known = TCPStateTrace.configuration.subcommands.compactMap {
      $0.configuration.commandName ?? "\($0)".lowercased()
    }
    #expect(Set(Subcommands.names) == Set(known + ["help"]))
  }

  /// Words, and how many of the recording's five rows (curl, 10.0.0.5:51234 to 93.184.216.34:443) they show.
  private static let shown: [(String, Int)] = [
    ("443", 5), ("51234", 5), ("80", 0), ("80 443", 5), ("440-450", 5), ("80,443", 5), (":443", 5), ("*:443", 5),
    ("https", 5), ("ssh", 0), ("port 443", 5), ("tcp port 443", 5), ("tcp and port https", 5), ("curl", 5),
    ("nginx", 0), ("nginx curl", 5), ("curl 443", 5), ("curl 80", 0), ("process curl", 5), ("10.0.0.5", 5),
    ("10.0.0.0/8", 5), ("93.184.216.34", 5), ("host 93.184.216.34", 5), ("net 10.0.0.0/8", 5), ("192.168.0.0/16", 0),
    ("src 10.0.0.5", 5), ("src 93.184.216.34", 0), ("dst 93.184.216.34", 5), ("dst port 443", 5), ("src port 443", 0),
    ("sport = :51234", 5), ("dport = :443", 5), ("dport = :80", 0), ("local 443", 0), ("peer 443", 5),
    ("close-wait", 2), ("CLOSE_WAIT", 2), ("state close-wait", 2), ("syn-sent close-wait", 4), ("estab", 2),
    ("listen", 0), ("connected", 5), ("bucket", 0), ("10.0.0.0/8 close-wait", 2), ("[93.184.216.34] curl https", 5),
  ]

  @Test(arguments: shown)
  func words(_ words: String, _ rows: Int) throws {
    let arguments = words.split(separator: " ").map { String($0) }
    let process = try Recording.run(["--format", "csv", "--no-header"] + arguments + ["--read", Self.recording])
    #expect(Self.rows(process) == rows, "\(words)")
  }

  /// The same by options, and with the recording among the words.
  @Test func options() throws {
    for arguments in [
      ["--port", "443"], ["--port", "51234"], ["-p", "8123"], ["-n"], ["--state", "connected"], ["curl"], [],
    ] {
      let process = try Recording.run(["--format", "csv", "--no-header"] + arguments + [Self.recording])
      #expect(Self.rows(process) == 5, "\(arguments)")
    }
    #expect(Self.rows(try Recording.run(["--format", "json", Self.recording])) == 5)
    #expect(try Recording.run(["summary", Self.recording, "443"]).outputText.contains("CLOSE-WAIT       1"))
    #expect(try !Recording.run(["summary", Self.recording, "80"]).outputText.contains("CLOSE-WAIT       1"))
    #expect(try Recording.run(["-V"]).outputText == (try Recording.run(["--version"]).outputText))
  }

  /// The tables of docs/habits.md, by their number: what is typed, and the last cell.
  private static func habits(_ table: Int) throws -> [(String, String)] {
    let text = try String(contentsOf: TestFile.url("docs/habits.md"), encoding: .utf8)
    let parts = text.components(separatedBy: "\n## ")
    return parts[table].split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
      return (cells[0], cells[2])
    }
  }

  /// Whatever is typed is understood, and shows the connection that it describes.
  @Test func habitsThatWork() throws {
    let habits = try Self.habits(1)
    for (typed, _) in habits {
      let words = typed.split(separator: " ").map { String($0) }
      let process = try Recording.run(["--format", "csv", "--no-header"] + words + ["--read", Self.recording])
      let isOneState = typed.lowercased().contains("close") || typed.contains("established")
      #expect(Self.rows(process) == (isOneState ? 2 : 5), "\(typed)")
    }
    #expect(try habits.count + Self.habits(2).count >= 40)
  }

  @Test func habitsThatAreAnswered() throws {
    for (typed, answer) in try Self.habits(2) {
      let process = try Recording.run(typed.split(separator: " ").map { String($0) }, status: 64)
      #expect(process.outputText.isEmpty, "\(typed)")
      #expect(process.errorLines.count == 1 && process.errorText.contains(answer), "\(typed): \(process.errorText)")
    }
  }

  /// What this host's files say is in it.
  @Test func explain() throws {
    let process = try Recording.run(["explain", "fin-wait-2"])
    #expect(process.outputText.contains("net.ipv4.tcp_fin_timeout = ") && process.outputText.contains("in it now"))
    #expect(try Recording.run(["explain"]).outputText.contains("  close-wait\n"))
    #expect(try Recording.run(["explain", "handshake"]).outputText.contains("seq y, ack x+1"))
  }

  /// The line that answers a mistake, with status 64.
  private static let answers: [(String, String)] = [
    ("stukc", "did you mean 'stuck'?"), ("summry", "did you mean 'summary'?"), ("tpo", "did you mean 'top'?"),
    ("help stuk", "did you mean 'stuck'?"), ("explain close-wiat", "did you mean 'close-wait'?"),
    ("explain nothing", "lists what there is"), ("70000", "not a port from 1 to 65535"), ("port", "needs a value"),
    ("state bogus", "is no TCP state"), ("curl or nginx", "words of one kind widen"), ("--csv", "use --format csv"),
    ("--json", "use --format jsonl"), ("--kill", "sudo ss -K"), ("-tanp", "letters of ss"),
    ("-tan", "only TCP is traced"), ("-t", "only TCP is traced"),
    ("-i eth0", "all interfaces are traced"), ("-w x.pcap", "use --record"), ("-c 5", "use --count"),
    ("stuck --kill", "try 'tcpstate-trace stuck --help'"), ("--for soon", "is not a duration"),
  ]

  @Test(arguments: answers)
  func mistakes(_ words: String, _ answer: String) throws {
    let process = try Recording.run(words.split(separator: " ").map { String($0) }, status: 64)
    #expect(process.outputText.isEmpty)
    #expect(process.errorLines.count == 1 && process.errorText.contains(answer), "\(process.errorText)")
  }
}
