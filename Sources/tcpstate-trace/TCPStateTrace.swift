// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateKernel

/// The command. Errors are printed here, once, on one line.
@main
struct TCPStateTrace: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tcpstate-trace",
    abstract: "Traces TCP state transitions: how long each connection stays in each state, and which process owns it.",
    discussion: """
      Without a subcommand it shows every transition live, until Ctrl-C.

      EXAMPLES:
        sudo tcpstate-trace 443                          one port, at either end
        sudo tcpstate-trace nginx                        one program
        sudo tcpstate-trace 10.0.0.0/8 close-wait        one network and one state
        sudo tcpstate-trace -L 443                       one server port
        sudo tcpstate-trace --longer-than 1s             slow steps only
        sudo tcpstate-trace --format csv --output t.csv  for analysis
      """,
    version: Version.text,
    subcommands: [
      Trace.self, Top.self, Stuck.self, SummaryCommand.self, LifecycleCommand.self, ReportCommand.self,
      TcpstatesCommand.self, ServeCommand.self, ExplainCommand.self, DoctorCommand.self, SchemaCommand.self,
    ],
    defaultSubcommand: Trace.self)

  static func main() {
    StartUp.prepare()
    do {
      try Typed.checkHelp(arguments)
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch let failure as Failure {
      Message.error(failure.message)
      Glibc.exit(failure.status.rawValue)
    } catch let error as KernelError {
      Message.error(error.description)
      Glibc.exit(status(for: error).rawValue)
    } catch let code as ExitCode {
      Glibc.exit(code.rawValue)  // it has been said
    } catch {
      finish(error)
    }
    Glibc.exit(ExitStatus.done.rawValue)
  }

  /// A program that is called tcpstates is that command.
  private static var arguments: [String] {
    let all = RawText.arguments
    let given = Array(all.dropFirst())
    let name = all.first?.split(separator: "/").last
    if name == "tcpstates" { return ["tcpstates"] + given }
    return given == ["-V"] ? ["--version"] : given
  }

  private static func status(for error: KernelError) -> ExitStatus {
    switch error.category {
    case .permission: .noPermission
    case .input: .usage
    case .unsupported, .system: .unavailable
    }
  }

  /// Writes to standard output, or says why it can't; a reader that goes away has had enough.
  private static func write(_ text: String) {
    var text = text
    let failure: Int32? = text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty {
        let count = Glibc.write(1, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return errno }
      }
      return nil
    }
    guard let failure, failure != EPIPE else { return }
    Message.error("can't write to standard output: \(String(cString: strerror(failure)))")
    Glibc.exit(ExitStatus.outputFailed.rawValue)
  }

  /// Help and version go to standard output; a wrong call gets one line.
  private static func finish(_ error: any Error) -> Never {
    let code = exitCode(for: error)
    if code == .success {
      var text = fullMessage(for: error) + "\n"
      // The options people look for are those of the default command.
      if arguments.allSatisfy({ $0 == "-h" || $0 == "--help" }) {
        text += "\n" + helpMessage(for: Trace.self) + "\n"
      }
      write(text)
      Glibc.exit(ExitStatus.done.rawValue)
    }
    var text = message(for: error).split(separator: "\n").joined(separator: " ")
    if let meant = Typed.meaning(ofUnknown: text) { text = meant }
    let help = "'\(Typed.command(arguments)) --help'"
    Message.error(text.hasSuffix(".") || text.hasSuffix("?") ? "\(text) Try \(help)." : "\(text); try \(help)")
    Glibc.exit(ExitStatus.usage.rawValue)
  }
}
