import CLinux
import TCPStateCore
import TCPStateReport

/// What `trace` says once it is attached.
enum OpeningLine {
  static func text(_ stream: borrowing LiveStream, readExisting: Bool) -> String {
    var line = "Tracing TCP on Linux \(kernelVersion)."
    if readExisting, stream.source.canReadTables {
      var connections: UInt64 = 0
      for state in TCPState.all where state != .listen { connections += stream.tracker.openCount(state) }
      line += before(connections: connections, listeners: stream.tracker.openCount(.listen))
    } else if readExisting {
      line += " This kernel doesn't tell which sockets are open already."
    }
    return line + " Ctrl-C ends."
  }

  /// What `summary --in-kernel` says.
  ///
  /// - Parameter open: sockets that were there before, by `TCPState.number`.
  static func counting(open: [UInt64]) -> String {
    let listeners = open[Int(TCPState.listen.number)]
    return "Tracing TCP on Linux \(kernelVersion), counting in the kernel."
      + before(connections: open.reduce(0, +) - listeners, listeners: listeners) + " Ctrl-C ends."
  }

  private static func before(connections: UInt64, listeners: UInt64) -> String {
    " Open before: \(count(connections, "connection")), \(count(listeners, "listener"))."
  }

  private static func count(_ number: UInt64, _ noun: String) -> String {
    "\(NumberText.string(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  private static var kernelVersion: String {
    var name = utsname()
    uname(&name)
    let release = withUnsafePointer(to: &name.release) {
      $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
    }
    return release.split(separator: ".").prefix(2).joined(separator: ".")
  }
}
