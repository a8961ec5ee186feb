// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Foundation
import TCPStateCore
import Testing

@testable import TCPStateKernel

@Suite struct KernelErrorTests {
  @Test func description() {
    let error = KernelError(.input, "use the cgroup /x", cause: "it is none", hint: "name another")
    #expect(error.description == "can't use the cgroup /x: it is none; name another")
    #expect(KernelError(.system, "read it", cause: "no").description == "can't read it: no")
  }

  /// If rights are missing, the hint says how to get them, unless there is a better hint.
  @Test func categoryOfAnErrno() {
    for code in [EPERM, EACCES] {
      let error = KernelError("load it", errno: code)
      #expect(error.category == .permission && error.hint == KernelError.privilegeHint)
      #expect(KernelError("load it", errno: code, hint: "a better one").hint == "a better one")
    }
    let error = KernelError("load it", errno: ENOMEM)
    #expect(error.category == .system && error.hint.isEmpty && error.cause == "Cannot allocate memory")
  }

  @Test func failedAttachment() {
    let failure = FailedAttachment(tracepoint: "tcp:tcp_send_reset", code: EPERM, loss: "sent resets not known")
    #expect(
      failure.description
        == "can't attach to the tracepoint tcp:tcp_send_reset: Operation not permitted; "
        + "tracing goes on with less: sent resets not known")
  }
}

@Suite struct KernelClockTests {
  /// jiffies64 begins 300 s before it overflows its lower half.
  private func ticks(_ rate: UInt64, uptime: UInt64) -> UInt64? {
    KernelClock.ticksPerSecond(jiffies: (1 << 32) &- 300 * rate &+ uptime * rate, at: uptime * 1_000_000_000)
  }

  @Test(arguments: [100, 250, 300, 1000, 1024] as [UInt64])
  func ticksPerSecond(_ rate: UInt64) {
    for uptime in [20, 200, 310, 3600, 30_000_000] as [UInt64] {
      #expect(ticks(rate, uptime: uptime) == rate, "\(uptime) s after boot")
    }
  }

  /// 300 s after boot all rates have the same count.
  @Test func ambiguousTime() {
    for uptime in 295...305 as ClosedRange<UInt64> { #expect(ticks(250, uptime: uptime) == nil) }
    #expect(KernelClock.ticksPerSecond(jiffies: 0, at: 1 << 40) == nil, "the tables haven't been read")
  }

  @Test func snapshotsHaveBoth() {
    var snapshot = tcpstate_snapshot()
    snapshot.jiffies = (1 << 32) + 250 * 700
    snapshot.event.timestamp_ns = 1_000_000_000_000
    #expect(KernelClock.ticksPerSecond(snapshot) == 250)
  }
}

@Suite struct KernelFilterTests {
  /// The verifier removes empty filters, so no other one may be taken for empty.
  @Test func isEmpty() throws {
    #expect(KernelFilter().isEmpty)
    let network = try #require(Network(parsing: "10.0.0.0/8"))
    let changes: [(inout KernelFilter) -> Void] = [
      { $0.family = 4 }, { $0.localPorts = PortSet() }, { $0.peerPorts = PortSet() }, { $0.localNetworks = [network] },
      { $0.peerNetworks = [network] }, { $0.netns = 1 }, { $0.cgroup = CgroupLocation(id: 1, level: 1) },
    ]
    for change in changes {
      var filter = KernelFilter()
      change(&filter)
      #expect(!filter.isEmpty)
    }
  }
}

@Suite struct EmbeddingTests {
  @Test(arguments: [0, 1, 2, 3, 4, 5, 255, 256])
  func paddingOfBase64(_ count: Int) throws {
    // Foundation decodes the same text.
    let whole = Base64.decode(EmbeddedObject.base64)
    defer { whole.deallocate() }
    let expected = try #require(
      EmbeddedObject.base64.withUTF8Buffer { Data(base64Encoded: String(decoding: $0, as: UTF8.self)) })
    #expect(whole.count == expected.count && whole.prefix(count).elementsEqual(expected.prefix(count)))
    #expect(whole.suffix(count).elementsEqual(expected.suffix(count)))
  }

  @Test func shortTexts() {
    for (text, bytes) in [("", []), ("QQ==", [65]), ("QUI=", [65, 66]), ("QUJD", [65, 66, 67])]
      as [(StaticString, [UInt8])]
    {
      let decoded = Base64.decode(text)
      #expect(Array(decoded) == bytes)
      decoded.deallocate()
    }
  }
}

@Suite struct NetworkNamespaceTests {
  @Test func ownIsFound() throws {
    let own = try #require(NetworkNamespaces.own)
    #expect(try NetworkNamespaces.all()[own] == NetworkNamespaces.ownPath)
    #expect(NetworkNamespaces.isNamespace(NetworkNamespaces.ownPath))
    #expect(!NetworkNamespaces.isNamespace("/proc/self/status"))
    #expect(NetworkNamespaces.inode(of: "/no/such") == nil)
  }

  /// Nothing has to be entered, so it needs no rights.
  @Test func insideItself() throws {
    let own = try #require(NetworkNamespaces.own)
    #expect(try NetworkNamespaces.inside(own, path: "/no/such") { NetworkNamespaces.own } == own)
    #expect(try NetworkNamespaces.portSupply(of: own, path: NetworkNamespaces.ownPath) != nil)
  }

  /// The path leads to another namespace by now, so it isn't entered.
  @Test func gone() throws {
    #expect(try NetworkNamespaces.inside(1, path: NetworkNamespaces.ownPath) { true } == nil)
    #expect(try NetworkNamespaces.inside(1, path: "/no/such") { true } == nil)
  }
}
