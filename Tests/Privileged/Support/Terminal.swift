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
  private func tmux(_ arguments: String...) throws -> String { try tmux(arguments) }

  @discardableResult
  private func tmux(_ arguments: [String]) throws -> String {
    let run = try ChildProcess.run(["tmux", "-L", name] + arguments)
    guard run.ending == .exited(0) else { throw TestFailure("tmux: \(run.errorText)") }
    return run.outputText
  }

  func press(_ keys: String...) throws {
    for key in keys { try tmux("send-keys", key) }
  }

  /// Sends bytes as a terminal does, such as a report of its mouse.
  func send(_ bytes: String) throws {
    try tmux(["send-keys", "-H"] + bytes.utf8.map { String($0, radix: 16) })
  }

  /// A press of the mouse's first button, at a column and a line from 1 (xterm's SGR form).
  func click(_ column: Int, _ line: Int) throws {
    try send("\u{1b}[<0;\(column);\(line)M")
    try send("\u{1b}[<0;\(column);\(line)m")
  }

  /// Lets programs write to tmux's clipboard (OSC 52).
  func allowClipboard() throws { try tmux("set-option", "-s", "set-clipboard", "on") }

  /// What has been copied, once it is there.
  func clipboard() throws -> String {
    let deadline = Deadline(seconds: 60)
    while true {
      let run = try ChildProcess.run(["tmux", "-L", name, "show-buffer"])
      if run.ending == .exited(0), !run.outputText.isEmpty { return run.outputText }
      guard !deadline.hasPassed else { throw TestFailure("nothing was copied: \(run.errorText)") }
      Clocks.pass(milliseconds: 50)
    }
  }

  /// Whether the program in the terminal wants to know of the mouse.
  func wantsMouse() throws -> Bool { try tmux("display-message", "-p", "#{mouse_any_flag}").hasPrefix("1") }

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
