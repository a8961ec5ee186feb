// SPDX-License-Identifier: Apache-2.0
import CLinux
import TCPStateCore
import TCPStateLive
import TCPStateReport

/// What commands say once they are attached.
enum OpeningLine {
  static func text(_ stream: borrowing LiveStream, readExisting: Bool) -> String {
    guard readExisting else { return text(.notRead) }
    guard stream.source.canReadTables else { return text(.unknown) }
    return text(.sockets(connections: stream.openConnections, listeners: stream.tracker.openCount(.listen)))
  }

  /// - Parameter open: sockets that were there before, by `TCPState.number`.
  static func text(open: [UInt64]) -> String {
    let listeners = open[Int(TCPState.listen.number)]
    return text(.sockets(connections: open.reduce(0, +) - listeners, listeners: listeners))
  }

  private static func text(_ before: OpeningText.Before) -> String {
    var name = utsname()
    uname(&name)
    let release = withUnsafePointer(to: &name.release) {
      $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
    }
    return OpeningText(kernel: release.split(separator: ".").prefix(2).joined(separator: "."), before: before).string
  }
}

extension LiveStream {
  /// Connections that are tracked now, without listeners.
  var openConnections: UInt64 {
    TCPState.all.reduce(0) { $1 == .listen ? $0 : $0 + tracker.openCount($1) }
  }
}
