import Glibc

/// The terminal's alternate screen with keys as they are pressed; what was
/// there before comes back with this value's end, whichever way that comes.
struct FullScreen: ~Copyable {
  private var before = termios()
  /// Where keys come from.
  let keys: Int32

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
    guard tcsetattr(keys, TCSAFLUSH, &raw) == 0 else { return nil }
    Self.write("\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J")
  }

  deinit {
    Self.write("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
    var before = before
    tcsetattr(keys, TCSAFLUSH, &before)
  }

  /// Columns and lines; 80 by 24 if the terminal doesn't report them.
  var size: (width: Int, height: Int) {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Draws a frame by one write: from the top left, each line erased to its end.
  func draw(_ lines: [String]) {
    Self.write("\u{1b}[H" + lines.joined(separator: "\u{1b}[K\r\n") + "\u{1b}[K\u{1b}[J")
  }

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

  private static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var offset = 0
      while offset < bytes.count {
        guard let base = bytes.baseAddress else { return }
        // Safe: `offset` is below the count.
        let written = Glibc.write(1, base + offset, bytes.count - offset)
        if written < 0, errno != EINTR { return }
        offset += max(0, written)
      }
    }
  }
}
