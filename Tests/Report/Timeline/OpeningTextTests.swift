// SPDX-License-Identifier: Apache-2.0
import TCPStateReport
import Testing

@Suite struct OpeningTextTests {
  private static func text(_ connections: UInt64, _ listeners: UInt64) -> String {
    OpeningText(kernel: "6.18", before: .sockets(connections: connections, listeners: listeners)).string
  }

  @Test func saysAll() {
    #expect(
      Self.text(1, 9) == "Tracing TCP on Linux 6.18. Open before: 1 connection, 9 listeners. Ctrl-C ends.")
    #expect(Self.text(41, 12) == "Tracing TCP on Linux 6.18. Open: 41 connections, 12 listeners. Ctrl-C ends.")
    #expect(OpeningText(kernel: "5.10", before: .notRead).string == "Tracing TCP on Linux 5.10. Ctrl-C ends.")
    #expect(
      OpeningText(kernel: "5.4", before: .unknown).string
        == "Tracing TCP on Linux 5.4. Open before: unknown on this kernel. Ctrl-C ends.")
  }

  /// The line fits 80 columns with as many sockets as a host can have, and on future kernels.
  @Test(arguments: [0, 1, 9, 41, 999, 28_232, 1_234_567] as [UInt64])
  func fits(connections: UInt64) {
    for listeners in [0, 1, 12, 345, 12_345] as [UInt64] {
      for kernel in ["5.8", "6.18", "10.100"] {
        let text = OpeningText(kernel: kernel, before: .sockets(connections: connections, listeners: listeners)).string
        #expect(text.utf8.count <= 80, "\(text)")
        #expect(text.hasSuffix(".") && text.contains(" Open"))
      }
    }
    #expect(OpeningText(kernel: "10.100", before: .unknown).string.utf8.count <= 80)
  }
}
