// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// Which two sockets are the ends of one connection, where sequence numbers weren't recorded.
@Suite struct TwinTests {
  /// A connection's rows with default columns: no sequence numbers.
  private static func script(
    _ number: UInt64, client: UInt32?, server: UInt32?, _ address: String, _ peer: String,
    interfaces: (UInt32, UInt32)? = nil
  ) -> [Transition] {
    var script = LifeScript()
    for side in Side.allCases {
      script.edit(side) { end in
        (end.initialSendSequence, end.initialReceiveSequence) = (nil, nil)
        end.netns = side == .client ? client : server
        end.connection += number * 2
        let here = IPAddress(parsing: side == .client ? address : peer) ?? .unspecified
        let there = IPAddress(parsing: side == .client ? peer : address) ?? .unspecified
        (end.local.address, end.peer.address) = (here, there)
        end.interface = interfaces.map { side == .client ? $0.0 : $0.1 }
      }
    }
    script.go(.client, .synSent, at: number)
    script.go(.client, .established, at: 100 + number)
    script.go(.server, .synReceived, at: 200 + number)
    script.go(.server, .established, at: 210 + number)
    script.orderlyClose(.client, at: 1_000 + number)
    return script.rows.map { row in
      var row = row
      (row.initialSendSequence, row.initialReceiveSequence) = (nil, nil)
      return row
    }
  }

  /// The namespaces of both ends of each life, `-` for an end without its twin.
  private static func lives(_ rows: [[Transition]]) -> [String] {
    var tracker = LifecycleTracker(waitsForTimeWait: true)
    var lives: [Lifecycle] = []
    let sorted = rows.joined().sorted { $0.time < $1.time }
    for row in sorted { tracker.apply(row) { lives.append($0) } }
    tracker.finish { lives.append($0) }
    return lives.map { life in
      Side.allCases.map { life[$0].map { "\($0.facts.netns.map(String.init) ?? "?")" } ?? "-" }.joined(separator: " ")
    }.sorted()
  }

  @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("10.0.0.5", "10.0.0.5"), ("127.0.0.1", "127.0.0.2")])
  func theSameEndsInTwoNamespaces(_ address: String, _ peer: String) {
    let rows = [
      Self.script(0, client: 1, server: 1, address, peer), Self.script(1, client: 2, server: 2, address, peer),
      Self.script(2, client: 3, server: 3, address, peer),
    ]
    #expect(Self.lives(rows) == ["1 1", "2 2", "3 3"])
    #expect(Self.lives([rows[0]]) == ["1 1"])
  }

  /// Loopback doesn't leave its namespace, so the other end wasn't recorded.
  @Test func loopbackOfAnotherNamespace() {
    let rows = Self.script(0, client: 1, server: 2, "127.0.0.1", "127.0.0.1")
    #expect(Self.lives([rows]) == ["- 2", "1 -"])
    #expect(Self.lives([Self.script(0, client: nil, server: 2, "127.0.0.1", "127.0.0.1")]) == ["? 2"])
  }

  @Test func betweenNamespaces() {
    let one = Self.script(0, client: 1, server: 2, "10.0.0.5", "10.0.0.9")
    #expect(Self.lives([one]) == ["1 2"])
    // Two pairs of namespaces with the same networks: which client has which server isn't known.
    let other = Self.script(1, client: 3, server: 4, "10.0.0.5", "10.0.0.9")
    #expect(Self.lives([one, other]) == ["- 2", "- 4", "1 -", "3 -"])
    // One of them after the other is no question.
    let later = other.map { row in
      var row = row
      row.time += 100_000_000_000
      return row
    }
    #expect(Self.lives([one, later]) == ["1 2", "3 4"])
    // In one namespace with both ends, and in another one, too.
    let near = Self.script(1, client: 3, server: 3, "10.0.0.5", "10.0.0.9")
    #expect(Self.lives([one.filter { $0.role == .client }, near]) == ["1 -", "3 3"])
  }

  /// fe80::5 on one interface isn't fe80::5 on the next.
  @Test(arguments: [("fe80::5", "fe80::9"), ("169.254.0.5", "169.254.0.9")])
  func linkLocal(_ address: String, _ peer: String) {
    let rows = [
      Self.script(0, client: 1, server: 1, address, peer, interfaces: (2, 2)),
      Self.script(1, client: 1, server: 1, address, peer, interfaces: (3, 3)),
    ]
    let lives = Self.lives(rows)
    #expect(lives == ["1 1", "1 1"])
    #expect(Self.lives([Self.script(0, client: 1, server: 1, address, peer, interfaces: (2, 3))]) == ["- 1", "1 -"])
    #expect(Self.lives([Self.script(0, client: 1, server: 2, address, peer, interfaces: (2, 7))]) == ["1 2"])
    #expect(Self.lives([Self.script(0, client: 1, server: 1, address, peer)]) == ["1 1"])
  }

  @Test func addressScopes() {
    for (text, loopback, linkLocal) in [
      ("127.0.0.1", true, false), ("127.255.0.1", true, false), ("::1", true, false), ("128.0.0.1", false, false),
      ("fe80::1", false, true), ("febf::1", false, true), ("fec0::1", false, false), ("169.254.9.9", false, true),
      ("169.253.9.9", false, false), ("::2", false, false), ("10.0.0.1", false, false),
    ] {
      let address = IPAddress(parsing: text)
      #expect(address?.isLoopback == loopback && address?.isLinkLocal == linkLocal, "\(text)")
    }
  }
}
