// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

enum Tmux {
  static var isThere: Bool { (try? ChildProcess.run(["tmux", "-V"]).ending) == .exited(0) }
}

/// A tmux server of its own with one window that runs a shell command.
final class Terminal {
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
  ///
  /// - Parameter scrolled: with what has gone out at its top.
  @discardableResult
  func screen(_ what: String, scrolled: Bool = false, _ condition: (String) -> Bool) throws -> String {
    let deadline = Deadline(seconds: 60)
    while true {
      let screen = try tmux("capture-pane", "-p", "-S", scrolled ? "-" : "0")
      if condition(screen) { return screen }
      guard !deadline.hasPassed else { throw TestFailure("\(what): \(screen)") }
      Clocks.pass(milliseconds: 50)
    }
  }
}
