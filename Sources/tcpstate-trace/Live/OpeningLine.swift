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
    var connections: UInt64 = 0
    for state in TCPState.all where state != .listen { connections += stream.tracker.openCount(state) }
    return text(.sockets(connections: connections, listeners: stream.tracker.openCount(.listen)))
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
