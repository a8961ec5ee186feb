// SPDX-License-Identifier: Apache-2.0
import TCPStateReport

/// What was typed, for messages that repeat it or say what was meant.
enum Typed {
  /// `tcpstate-trace stuck`: the program and the subcommand, without options.
  static func command(_ arguments: [String]) -> String {
    let first = arguments.first { !$0.hasPrefix("-") }
    guard let first, first != "help", Subcommands.names.contains(first) else { return "tcpstate-trace" }
    return "tcpstate-trace \(first)"
  }

  /// The whole line.
  static var line: String {
    (["tcpstate-trace"] + RawText.arguments.dropFirst().map { quoted(Message.printable($0)) }).joined(separator: " ")
  }

  /// The whole line with sudo before it, to be typed again.
  static var withSudo: String {
    let line = "sudo \(line)"
    return line.utf8.count <= 300 ? line : "sudo tcpstate-trace …"
  }

  /// As a shell needs it.
  private static func quoted(_ word: String) -> String {
    let plain = word.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
        || "-_./:,=+%@≥".unicodeScalars.contains($0)
    }
    return plain && !word.isEmpty
      ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// `help stuk` would show the help of everything, and `stuk --help` that of trace.
  static func checkHelp(_ arguments: [String]) throws(Failure) {
    let asked: String
    if arguments.count == 2, arguments[0] == "help", !arguments[1].hasPrefix("-") {
      asked = arguments[1]
      guard !Subcommands.names.contains(asked) else { return }
    } else {
      // `stuk --help` would show the help of trace.
      guard let first = arguments.first, arguments.dropFirst().contains(where: { $0 == "--help" || $0 == "-h" }),
        !Subcommands.names.contains(first), Subcommands.near(first) != nil
      else { return }
      asked = first
    }
    let word = Message.printable(asked)
    let near = Subcommands.near(asked).map { "; did you mean '\($0)'?" } ?? "; try 'tcpstate-trace --help'"
    throw Failure(.usage, "there is no command '\(word)'\(near)")
  }

  /// What an option of other programs is called here.
  ///
  /// - Parameter text: the parser's message about an unknown option.
  static func meaning(ofUnknown text: String) -> String? {
    let prefix = "Unknown option '"
    guard text.hasPrefix(prefix), let option = text.dropFirst(prefix.count).split(separator: "'").first
    else { return nil }
    guard let meaning = meanings[String(option)] ?? joined(option) else { return nil }
    return "Unknown option '\(Message.printable(String(option)))': \(meaning)"
  }

  /// `-tanp`, which `ss` and netstat have made a habit.
  private static func joined(_ option: Substring) -> String? {
    guard option.count > 2, option.hasPrefix("-"), option.dropFirst().allSatisfy({ "taunlpeomis46H".contains($0) })
    else { return nil }
    return "the letters of ss aren't needed: only TCP is traced, in all states, with processes and numbers"
  }

  private static let meanings: [String: String] = {
    var table: [String: String] = [:]
    let entries: [([String], String)] = [
      (["--csv"], "use --format csv"),
      (["--json", "--jsonl", "-j", "-J"], "use --format jsonl"),
      (["--kill", "-K"], "nothing is ended here; 'sudo ss -K' followed by a filter closes sockets"),
      (["-t", "--tcp"], "leave it out, only TCP is traced"),
      (["-u", "--udp"], "only TCP is traced; UDP has no states"),
      (["-a", "--all"], "leave it out; all states are traced, and stuck --state all lists all sockets"),
      (["-l", "--listening"], "use --state listen"),
      (["-i", "--interface"], "all interfaces are traced; --local takes the addresses of one"),
      (["-c"], "use --count"),
      (["-w", "--write"], "use --record FILE, or --format csv --output FILE"),
      (["-r"], "use --read FILE"),
      (["-v"], "use --verbose"),
      (["-d", "--duration", "--time", "--timeout"], "use --for"),
      (["-f", "--follow"], "leave it out; trace follows, and so do stuck --watch and lifecycle --follow"),
      (["-e", "--extended", "-o"], "use --columns all with --format csv, or lifecycle"),
      (["-s"], "use the command summary"),
      (["--user", "-U"], "filter by --process or --pid"),
      (["--older", "--age", "--min-age"], "use --older-than with stuck, --longer-than with the others"),
      (["--name", "--comm"], "use --process"),
      (["--namespace", "-N", "--net", "--filter-netns"], "use --netns"),
      (["-A", "-X", "-x"], "payload is never read; tcpdump shows it"),
      (["--no-color", "--no-colour", "-C"], "use --color never"),
      (["--filter", "-F"], "write the words without an option: tcpstate-trace nginx 443"),
      (["--sort", "--sort-key"], "top sorts by keys, which ? lists"),
      (["--processes"], "leave it out; processes are always shown"),
      (["--numeric"], "leave it out; names are never looked up"),
    ]
    for (options, meaning) in entries { for option in options { table[option] = meaning } }
    return table
  }()
}
