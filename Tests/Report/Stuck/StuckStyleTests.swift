// SPDX-License-Identifier: Apache-2.0
@testable import TCPStateCore
@testable import TCPStateReport
import Testing

/// The words of `stuck` at the numbers where they change: none, one, several, and more than are named.
@Suite struct StuckStyleTests {
  private static let style = StuckStyle(table: TableStyle(), ownNamespace: 1)

  private static func process(_ pid: UInt32, _ name: String) -> SocketHolder {
    SocketHolder(pid: pid, name: ShortName(name), descriptor: nil)
  }

  private static let nginx = SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14)

  private static func socket(_ id: UInt64, _ state: TCPState, _ verdict: Verdict, _ cause: StuckCause? = nil)
    -> StuckSocket
  {
    var socket = StuckSocket(connection: id, state: state)
    socket.age = Stay(nanoseconds: 90_000_000_000, kind: .atLeast)
    (socket.verdict, socket.cause) = (verdict, cause)
    socket.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: 443)
    socket.peer = Endpoint(address: IPAddress(v4: 0x0a00_0009), port: UInt16(40_000 + id))
    socket.netns = 1
    if verdict == .held {
      socket.holders = [nginx]
    } else {
      socket.listeners = [listener(1, 128)]
    }
    return socket
  }

  private static func listener(_ waiting: UInt32, _ limit: UInt32) -> StuckListener {
    StuckListener(
      local: Endpoint(address: .unspecified, port: 443), holders: [nginx], acceptQueue: waiting,
      acceptQueueLimit: limit,
      requestQueue: 2)
  }

  // MARK: - Processes

  @Test func owners() {
    let all = [Self.process(1, "a"), Self.process(2, "b"), Self.process(3, "c")]
    #expect(
      (0...3).map { Self.style.owners(Array(all.prefix($0))) }
        == ["an unknown process", "a/1", "a/1 and 1 more", "a/1 and 2 more"])
  }

  @Test func makers() {
    let (a, b, c, d) = (Self.process(1, "a"), Self.process(2, "b"), Self.process(3, "c"), Self.process(4, "d"))
    #expect(Self.style.makers([:]) == Self.style.table.glyphs.unknown.description)
    #expect(Self.style.makers([a: 1]) == "a/1")
    #expect(Self.style.makers([a: 1, b: 2]) == "b/2, a/1", "the most first")
    #expect(Self.style.makers([b: 2, a: 2]) == "a/1, b/2")
    #expect(Self.style.makers([a: 4, b: 3, c: 2]) == "a/1, b/2 and 1 more")
    #expect(Self.style.makers([a: 4, b: 3, c: 2, d: 1]) == "a/1, b/2 and 2 more")
    #expect(Self.style.makers([a: 4, Self.process(9, "a"): 3]) == "a (2 processes)")
    #expect(Self.style.makers([a: 4, Self.process(9, "a"): 3, b: 1]) == "a/1, a/9 and 1 more")
  }

  // MARK: - Ages

  /// Two bounds are shown if they are further apart than a tenth, and than half a second.
  @Test func ages() {
    let second: UInt64 = 1_000_000_000
    func age(_ least: UInt64?, _ most: UInt64?, _ kind: DurationKind = .atLeast) -> (String, String) {
      var socket = StuckSocket(connection: 1, state: .closeWait)
      socket.age = least.map { Stay(nanoseconds: $0, kind: kind) }
      socket.atMost = most
      return (Self.style.age(of: socket), Self.style.duration(socket.age))
    }
    func range(_ least: UInt64, _ most: UInt64) -> String {
      "\(Self.style.duration(least)) to \(Self.style.duration(most))"
    }
    for (least, limit) in [(second, 1_500_000_000), (10 * second, 11 * second), (1, 500_000_001)] as [(UInt64, UInt64)]
    {
      let close = age(least, limit)
      #expect(close.0 == close.1)
      #expect(age(least, limit + 1).0 == range(least, limit + 1))
    }
    #expect(age(nil, 3 * second).0 == "up to \(Self.style.duration(3 * second))")
    #expect(age(0, 3 * second).0 == "up to \(Self.style.duration(3 * second))")
    let exact = age(second, 9 * second, .exact)
    #expect(exact.0 == exact.1)
    let unbounded = age(second, nil)
    #expect(unbounded.0 == unbounded.1)
  }

  // MARK: - Amounts in the advice

  private static func advice(_ socket: StuckSocket) -> String {
    StuckAdvice(style: style).sentences([socket]).first ?? ""
  }

  /// Nothing is said of what isn't there.
  @Test func amounts() {
    var closing = Self.socket(1, .finWait1, .held, .windowShut)
    var forgotten = Self.socket(2, .closeWait, .held, .notClosed)
    for (count, unsent, unread) in [
      (UInt64?.none, "has closed, and", "fd 14: look"), (0, "has closed, and", "fd 14: look"),
      (1, "has closed with 1 B unsent, and", "fd 14 (1 B unread): look"),
    ] {
      (closing.unsentBytes, forgotten.unreadBytes) = (count, count)
      #expect(Self.advice(closing).contains(unsent), "\(Self.advice(closing))")
      #expect(Self.advice(forgotten).contains(unread), "\(Self.advice(forgotten))")
    }
  }

  /// The queue is full when it has one more than its limit (sk_acceptq_is_full(), include/net/sock.h).
  @Test func queues() {
    var socket = Self.socket(1, .closeWait, .unaccepted, .notAccepted)
    for (waiting, words) in [
      (0, "0 connections are waiting in its queue of 128; find"),
      (1, "1 connection is waiting in its queue of 128; find"),
      (2, "2 connections are waiting in its queue of 128; find"),
      (128, "128 connections are waiting in its queue of 128; find"),
      (129, "129 connections are waiting in its queue of 128, which is full, so new ones are dropped; find"),
    ] as [(UInt32, String)] {
      socket.listeners = [Self.listener(waiting, 128)]
      #expect(Self.advice(socket).contains(words), "\(Self.advice(socket))")
    }
    var request = Self.socket(2, .synReceived, .halfOpen, .handshake)
    for waiting in [128, 129] as [UInt32] {
      request.listeners = [Self.listener(waiting, 128)]
      #expect(Self.advice(request).contains("the accept queue is full") == (waiting > 128))
    }
  }
}
