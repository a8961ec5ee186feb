// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateProgram

/// The terminal's alternate screen with keys as they are pressed; what was
/// there before comes back with this value's end, whichever way that comes.
struct FullScreen: ~Copyable {
  private var before = termios()
  /// Where keys come from.
  let keys: Int32
  private let output = ScreenOutput()

  /// Takes the terminal over; `nil` if standard output, or where the keys come from, is none.
  ///
  /// - Parameter keys: standard input, or the terminal itself where that is something else.
  init?(keys: Int32 = 0) {
    self.keys = keys
    guard isatty(keys) == 1, isatty(1) == 1, tcgetattr(keys, &before) == 0 else { return nil }
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    raw.c_iflag &= ~tcflag_t(IXON | ICRNL)
    // Ctrl-C stays a signal, which the event loop gets; a stop or a core dump would leave the screen as it is.
    withUnsafeMutableBytes(of: &raw.c_cc) { characters in
      for index in [VSUSP, VQUIT, VMIN, VTIME] { characters[Int(index)] = 0 }
    }
    // Not TCSAFLUSH, which waits for a terminal that nobody reads.
    guard tcsetattr(keys, TCSANOW, &raw) == 0 else { return nil }
    tcflush(keys, TCIFLUSH)
    write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
  }

  deinit {
    output.writeLast("\(Self.mouse(false))\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
    var before = before
    tcsetattr(keys, TCSANOW, &before)
    tcflush(keys, TCIFLUSH)
  }

  /// Columns and lines; 80 by 24 if the terminal doesn't report them.
  var size: (width: Int, height: Int) {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Draws a frame by one write: from the top left, each line erased to its end.
  func draw(_ lines: [String]) {
    write("\u{1b}[H" + lines.joined(separator: "\u{1b}[K\r\n") + "\u{1b}[K\u{1b}[J")
  }

  /// Turns reports of presses and of the wheel on or off. While they are on, most terminals select text with Shift only.
  func setMouse(_ isOn: Bool) { write(Self.mouse(isOn)) }

  /// Presses (1000) in a form without a largest column (1006); terminals without a mouse ignore it.
  private static func mouse(_ isOn: Bool) -> String {
    let end = isOn ? "h" : "l"
    return "\u{1b}[?1000\(end)\u{1b}[?1006\(end)"
  }

  /// Asks the terminal to put text into the clipboard: xterm's OSC 52, which also works through ssh. Whether it does is
  /// the terminal's choice, and no answer comes.
  func copy(_ text: String) { write("\u{1b}]52;c;\(Base64Text.encode(Array(text.utf8)))\u{7}") }

  /// What has been typed since.
  func input() -> [UInt8] {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
      let count = read(keys, buffer.baseAddress, buffer.count)
      return count > 0 ? Array(buffer[..<count]) : []
    }
  }

  /// Whether the terminal has hung up.
  var isGone: Bool {
    var poll = pollfd(fd: keys, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&poll, 1, 0) > 0 && Int32(poll.revents) & (POLLHUP | POLLERR) != 0
  }

  private func write(_ text: String) { output.write(text) }
}

/// A terminal that is written to without ever being held up: what it doesn't take waits for the next frame.
private final class ScreenOutput {
  /// Milliseconds that the terminal may take for a part of a frame.
  private static let patience: Int32 = 100

  private let descriptor = PatientDescriptor.standardOutput
  private var pending: [UInt8] = []

  /// Writes what has waited, then the text, or leaves the text out if something still waits.
  func write(_ text: String) {
    flush()
    guard pending.isEmpty else { return }
    pending = Array(text.utf8)
    flush()
  }

  /// The text comes even if a frame isn't whole.
  func writeLast(_ text: String) {
    pending += Array(text.utf8)
    flush()
  }

  private func flush() {
    while !pending.isEmpty {
      descriptor.wait(Self.patience)
      guard descriptor.isReady else { return }
      let written = pending.withUnsafeBytes { descriptor.write($0.baseAddress, min($0.count, descriptor.portion)) }
      if written > 0 {
        pending.removeFirst(written)
      } else if written < 0, errno == EAGAIN {
        return
      } else if written < 0, errno != EINTR {
        pending = []  // nobody is left to see it
      }
    }
  }
}
