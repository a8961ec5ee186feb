// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateKernel

@Suite struct NetstatTests {
  private static let text = """
    TcpExt: SyncookiesSent TCPTimeWaitOverflow TCPOFOQueue
    TcpExt: 1 23 456
    IpExt: InNoRoutes InOctets
    IpExt: 7 89

    """

  private static func counter(_ name: StaticString, in text: String) -> UInt64? {
    Array(text.utf8).withUnsafeBytes { NetworkNamespaces.counter(name, in: $0) }
  }

  @Test func counters() {
    #expect(Self.counter("TCPTimeWaitOverflow", in: Self.text) == 23)
    #expect(Self.counter("InOctets", in: Self.text) == 89)
    #expect(Self.counter("TCPTimeWait", in: Self.text) == nil)
  }

  @Test(arguments: ["", "\n", "TcpExt: A TCPTimeWaitOverflow", "TcpExt: A TCPTimeWaitOverflow\nTcpExt: 1\n"])
  func cutOff(_ text: String) { #expect(Self.counter("TCPTimeWaitOverflow", in: text) == nil) }

  @Test func thisNamespace() { #expect(NetworkNamespaces.timeWaitOverflows() != nil) }
}
