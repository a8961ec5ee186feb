import Glibc
import Synchronization

/// Lines for people, on standard error; standard output is for the data alone.
enum Message {
  static func error(_ text: String) {
    line("tcpstate-trace: \(text)")
  }

  /// Lines written so far, for code that keeps a picture on the same terminal.
  private static let written = Atomic<Int>(0)
  static var lines: Int { written.load(ordering: .relaxed) }

  static func line(_ text: String) {
    write(text + "\n")
    written.add(1, ordering: .relaxed)
  }

  /// Ends the line on which the terminal has shown ^C.
  static func endInterruptedLine() {
    if isatty(2) == 1 { write("\n") }
  }

  /// Control characters of foreign text are shown, never sent.
  static func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
        let digits = String(scalar.value, radix: 16)
        result += "\\x" + (digits.count < 2 ? "0" : "") + digits
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var offset = 0
      while offset < bytes.count {
        let written = Glibc.write(2, bytes.baseAddress! + offset, bytes.count - offset)
        if written < 0 {
          if errno == EINTR { continue }
          return  // nobody is left to read it
        }
        offset += written
      }
    }
  }
}
