// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateReport

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explain a state, a verdict or a reason: who has to act, which timer runs here, what to do.",
    discussion: """
      Without a name it lists what there is to explain. No privileges are needed.

      EXAMPLES:
        tcpstate-trace explain close-wait
        tcpstate-trace explain handshake      the steps, with sequence numbers
        tcpstate-trace explain reset_received
      """)

  @Argument(help: ArgumentHelp("A state, verdict or reason, or handshake, or close.", valueName: "name"))
  var names: [String] = []

  mutating func run() throws {
    signal(SIGPIPE, SIG_IGN)
    let name = names.joined(separator: " ")
    let text: String
    if names.isEmpty {
      text = Self.overview
    } else if let found = Explanation.named(name) {
      text = found.text(HostFacts.of(found), width: Terminal.width(of: 1) ?? 80)
    } else {
      let near = Subcommands.near(name, among: Explanation.names)
      let question = near.map { "; did you mean '\($0)'?" } ?? "; 'tcpstate-trace explain' lists what there is"
      throw Failure(.usage, "there is nothing called '\(Message.printable(name))' to explain\(question)")
    }
    var file = try OutputFile(path: nil)
    file.pending.append(text)
    try file.writeOut()
  }

  private static var overview: String {
    func list(_ heading: String, _ names: [String]) -> String {
      "\(heading):\n" + names.map { "  \($0)\n" }.joined()
    }
    let verdicts = Verdict.allCases.map(\.name.description)
    let states = TCPState.all.map { $0.name(.rfc).lowercased() }
    let rest = Explanation.names.filter { !verdicts.contains($0) && !states.contains($0) }
    return list("How a connection begins and ends", Array(rest.prefix(2))) + list("States", states)
      + list("Verdicts of stuck", verdicts) + list("Reasons why a connection ended", Array(rest.dropFirst(2)))
  }
}
