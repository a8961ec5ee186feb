// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import TCPStateReport

/// Lines for people, on standard error; standard output is for the data alone.
enum Message {
  static func error(_ text: String) {
    line("tcpstate-trace: \(text)")
  }

  /// Lines written so far, for code that keeps a picture on the same terminal.
  private static let written = Atomic<Int>(0)
  static var lines: Int { written.load(ordering: .relaxed) }

  static func line(_ text: String) {
    this.withLock { $0.write($0.takeStatus() + shown(text) + "\n") }
    written.add(1, ordering: .relaxed)
  }

  /// Opens what the first message would open.
  static func prepare() { this.withLock { _ = $0.open() } }

  /// The last words, whole lines: a reader that is only slow is waited for longer.
  static func closing(_ text: String) {
    this.withLock { $0.write($0.takeStatus() + shown(text), patience: 2000) }
  }

  /// Whether standard error is a terminal on which a line can be rewritten.
  static let canShowStatus = isatty(2) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"

  /// Shows a line that the next one of its kind, or the next message, takes the place of.
  ///
  /// - Parameter text: in one line of the terminal: one that the terminal breaks can't be rewritten.
  static func status(_ text: String) {
    this.withLock { $0.write("\r\u{1b}[K" + text, isStatus: true) }
  }

  static func clearStatus() {
    this.withLock {
      let text = $0.takeStatus()
      if !text.isEmpty { $0.write(text) }
    }
  }

  /// Ends the line on which the terminal has shown ^C; a status line goes with it.
  static func endInterruptedLine() {
    guard isatty(2) == 1 else { return }
    this.withLock {
      let text = $0.takeStatus()
      $0.write(text.isEmpty ? "\n" : text)
    }
  }

  /// Control and formatting characters of foreign text are shown, never sent; bytes that aren't UTF-8, too.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { RawText.byte($0) != nil }) else { return TerminalText.visible(text) }
    var result = ""
    for scalar in text.unicodeScalars {
      if let byte = RawText.byte(scalar) {
        result += "\\x" + String(byte, radix: 16)
      } else {
        result += TerminalText.visible(String(scalar))
      }
    }
    return result
  }

  /// Whatever is in a message, wherever it came from, nothing but line ends acts on the terminal.
  private static func shown(_ text: String) -> String {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      .map { printable(String($0)) }.joined(separator: "\n")
  }

  private static let this = Mutex(StandardError())
}

/// Standard error, which may be a pipe that nobody reads or a stopped terminal: then messages are dropped, and
/// counted, rather than signals left unheeded.
struct StandardError {
  /// Milliseconds that a reader may take for a part of a message.
  static let patience: Int32 = 100
  /// Between two looks at the signals.
  private static let slice: Int32 = 50

  private var descriptor: PatientDescriptor?
  private var dropped = 0
  /// Whether a status line is on the terminal.
  private var showsStatus = false

  /// What clears the status line, if there is one, and forgets it.
  mutating func takeStatus() -> String {
    defer { showsStatus = false }
    return showsStatus ? "\r\u{1b}[K" : ""
  }

  mutating func open() -> PatientDescriptor {
    if let descriptor { return descriptor }
    let opened = PatientDescriptor(2)
    descriptor = opened
    return opened
  }

  mutating func write(_ text: String, patience: Int32 = StandardError.patience, isStatus: Bool = false) {
    let descriptor = open()
    showsStatus = isStatus
    // Whoever hasn't read the last one won't read this one either: it isn't waited for long.
    let patience = dropped > 0 ? 0 : patience
    if dropped > 0 {
      let note =
        "tcpstate-trace: \(dropped) message\(dropped == 1 ? " was" : "s were") dropped: nobody was reading them\n"
      guard Self.put(note, descriptor, patience) else { return dropped += 1 }
      dropped = 0
    }
    if !Self.put(text, descriptor, patience) { dropped += 1 }
  }

  /// - Returns: whether all of it was written, or nobody is left to read it.
  private static func put(_ text: String, _ descriptor: PatientDescriptor, _ patience: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var offset = 0
      var left = patience
      while offset < bytes.count {
        if !descriptor.isReady {
          guard left > 0, !Signals.askForEnd else { return false }
          descriptor.wait(min(left, slice))
          left -= slice
          continue
        }
        let rest = UnsafeRawBufferPointer(bytes)[offset...]
        let count = descriptor.write(
          UnsafeRawBufferPointer(rebasing: rest).baseAddress, min(rest.count, descriptor.portion))
        if count > 0 {
          offset += count
          left = patience
        } else if count < 0, errno == EAGAIN {
          guard left > 0, !Signals.askForEnd else { return false }
          // A pipe is writable with less room than a whole portion takes.
          usleep(UInt32(slice) * 1000)
          left -= slice
        } else if errno != EINTR {
          return true
        }
      }
      return true
    }
  }
}
