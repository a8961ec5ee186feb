import Foundation
import TestSupport
import Testing

private enum Tmux {
  static var isThere: Bool { (try? ChildProcess.run(["tmux", "-V"]).ending) == .exited(0) }
}

extension Privileged {
  /// `top` in a real terminal: tmux's.
  @Suite(.enabled(if: Tmux.isThere, "needs tmux")) struct TopTests {
    /// A tmux server of its own with one window that runs a shell command.
    private final class Terminal {
      private let name = "tcpstate-\(UUID().uuidString)"

      init(_ command: String) throws {
        try tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command)
      }

      deinit { _ = try? ChildProcess.run(["tmux", "-L", name, "kill-server"]) }

      @discardableResult
      private func tmux(_ arguments: String...) throws -> String {
        let run = try ChildProcess.run(["tmux", "-L", name] + arguments)
        guard run.ending == .exited(0) else { throw TestFailure("tmux: \(run.errorText)") }
        return run.outputText
      }

      func press(_ keys: String...) throws {
        for key in keys { try tmux("send-keys", key) }
      }

      func resize(_ width: Int, _ height: Int) throws {
        try tmux("resize-window", "-x", "\(width)", "-y", "\(height)")
      }

      /// The screen, once `condition` holds.
      @discardableResult
      func screen(_ what: String, _ condition: (String) -> Bool) throws -> String {
        let deadline = Deadline(seconds: 10)
        while true {
          let screen = try tmux("capture-pane", "-p")
          if condition(screen) { return screen }
          guard !deadline.hasPassed else { throw TestFailure("\(what): \(screen)") }
          Clocks.pass(milliseconds: 50)
        }
      }
    }

    @Test func keysAndRestoration() throws {
      let pair = try Pair()
      try pair.connect()
      try pair.client.ask("shutdown c")
      let terminal = try Terminal(
        "echo before; stty -g; \(Tracer.binary) top --netns \(pair.namespace.path); echo status $?; stty -g; cat")
      try terminal.screen("the list") {
        $0.contains("CLOSE-WAIT   python3/\(pair.server.pid)") && $0.contains("FIN-WAIT-2   python3/\(pair.client.pid)")
      }
      try terminal.press("g")
      try terminal.screen("groups") { $0.contains("PROCESS") && $0.contains("FIN-WAIT-2 1") }
      try terminal.press("g", "g", "g", "/", "c", "l", "o", "s", "e", "-", "w")
      try terminal.screen("the filter") { $0.contains("/close-w_") && $0.contains("CLOSE-WAIT   python3") }
      try terminal.press("Enter", "Enter")
      try terminal.screen("the detail") { $0.contains("initial sequence numbers") && $0.contains("server python3") }
      try terminal.press("Escape", "?")
      try terminal.screen("the help") { $0.contains("group by process, peer, port, or not") }
      try terminal.resize(130, 30)
      try terminal.press("?")
      try terminal.screen("the wide list") { $0.contains("LOCAL") }
      try terminal.resize(80, 24)
      try terminal.press("q")
      let after = try terminal.screen("the end") {
        $0.contains("status 0") && $0.split(separator: "\n").last != "status 0"
      }
      let settings = after.split(separator: "\n").filter { $0.contains(":") && $0.count > 40 }
      #expect(settings.count == 2 && Set(settings).count == 1, "\(after)")
      #expect(after.contains("before"))
    }

    /// A signal gives the terminal back too.
    @Test(arguments: ["TERM", "INT", "HUP"]) func signals(_ signal: String) throws {
      let namespace = try NetworkNamespace()
      let folder = try TemporaryFolder()
      let pidFile = folder.file("pid")
      let terminal = try Terminal(
        "echo before; sh -c 'echo $$ > \(pidFile); exec \(Tracer.binary) top --netns \(namespace.path)'; echo status $?; cat"
      )
      try terminal.screen("the list") { $0.contains("transitions/s") }
      let pid = String(decoding: try TemporaryFolder.bytes(pidFile), as: UTF8.self).filter(\.isNumber)
      _ = try ChildProcess.run(["kill", "-\(signal)", pid])
      let after = try terminal.screen("the end") { $0.contains("status 0") }
      #expect(after.contains("before"))
    }

    @Test func refusesAPipe() throws {
      let run = try ChildProcess.run([Tracer.binary, "top"])
      #expect(run.ending == .exited(64) && run.errorText.contains("top needs a terminal"))
    }
  }
}
