// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@testable import TCPStateReport

/// What is listed, and in which order.
@Suite struct TopListTests {
  private static let second: UInt64 = 1_000_000_000

  private static func row(
    _ id: UInt64, _ state: TCPState = .established, seconds: UInt64 = 1, _ name: String = "nginx", pid: UInt32 = 812,
    peer: UInt32 = 0x0a00_0009
  ) -> TopRow {
    var row = Transition()
    (row.connection, row.new) = (id, state)
    row.stay = Stay(nanoseconds: seconds * second, kind: .exact)
    (row.ownerName, row.ownerPID, row.role) = (ShortName(name), pid, .server)
    row.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: 443)
    row.peer = Endpoint(address: IPAddress(v4: peer), port: UInt16(40_000 + id % 20_000))
    return TopRow(row)
  }

  private static func list(_ rows: [TopRow], _ change: (inout TopView) -> Void = { _ in }) -> TopList {
    var view = TopView()
    change(&view)
    return TopList(rows, view)
  }

  private static func connections(_ list: TopList) -> [UInt64?] {
    (0..<list.count).map { if case .connection(let id) = list.line($0) { id } else { nil } }
  }

  /// Stuck, stalled, the others, each the oldest first; TIME-WAIT in one line.
  @Test func worstFirst() {
    let rows = [
      Self.row(1, seconds: 9000), Self.row(2, .closeWait, seconds: 59), Self.row(3, .timeWait, seconds: 30),
      Self.row(4, .closeWait, seconds: 61), Self.row(5, .finWait1, seconds: 300), Self.row(6, .synSent, seconds: 2),
      Self.row(7, .closeWait, seconds: 600), Self.row(8, .listen, seconds: 9000), Self.row(9, .timeWait, seconds: 50),
    ]
    let folded = Self.list(rows)
    #expect(Self.connections(folded) == [7, 4, 5, 1, 2, 6, nil])
    #expect(folded.line(6) == .timeWait && folded.foldedCount == 2 && folded.connections == 8)
    #expect(folded.oldestFolded == Stay(nanoseconds: 50 * Self.second, kind: .exact))
    #expect(Self.connections(Self.list(rows) { $0.opensTimeWait = true }) == [7, 4, 5, 1, 2, 6, nil, 9, 3])
    #expect(Self.connections(Self.list(rows) { $0.isReversed = true }) == [6, 2, 1, 5, 4, 7, nil])
    #expect(folded.everyConnection == [7, 4, 5, 1, 2, 6, 9, 3])
  }

  /// Where there is nothing else, or it was asked for, TIME-WAIT isn't hidden.
  @Test func timeWaitAlone() {
    let rows = [Self.row(3, .timeWait, seconds: 30), Self.row(9, .timeWait, seconds: 50)]
    #expect(Self.connections(Self.list(rows)) == [nil, 9, 3])
    let asked = Self.list(rows + [Self.row(1)]) { $0.filter = "time-wait" }
    #expect(Self.connections(asked) == [9, 3])
  }

  /// A list that is sorted as far as it is looked at is the same as one that is sorted at once.
  @Test(arguments: TopView.Order.allCases, [false, true]) func sortedAsFarAsNeeded(
    _ order: TopView.Order, _ reversed: Bool
  ) {
    var state: UInt64 = 42
    func random(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    let states: [TCPState] = [.established, .closeWait, .finWait2, .synSent]
    var rows = (0..<5000 as Range<UInt64>).map { id in
      Self.row(
        id, states[Int(random(4))], seconds: random(200), ["nginx", "curl", "", "z"][Int(random(4))],
        pid: UInt32(random(3)), peer: UInt32(random(50)))
    }
    for index in rows.indices { (rows[index].bytesSent, rows[index].retransmits) = (random(9), UInt32(random(5))) }
    func change(_ view: inout TopView) { (view.order, view.isReversed) = (order, reversed) }
    let whole = Self.list(rows, change)
    let last = whole.line(4999)
    let all = Self.connections(whole)
    #expect(last != nil && Set(all.compactMap { $0 }).count == 5000)
    let lazy = Self.list(rows, change)
    let seen = (0..<5000).map { index in if case .connection(let id) = lazy.line(index) { id } else { nil as UInt64? } }
    #expect(seen == all)
    let jumping = Self.list(rows, change)
    #expect(
      jumping.line(3) == whole.line(3) && jumping.line(900) == whole.line(900) && jumping.line(40) == whole.line(40))
    // Against the definition.
    let ages = Dictionary(rows.map { ($0.connection, $0.stay?.nanoseconds ?? 0) }, uniquingKeysWith: { a, _ in a })
    if order == .age {
      let listed = all.compactMap { $0.flatMap { ages[$0] } }
      #expect(listed == listed.sorted(by: reversed ? (<) : (>)))
    }
  }

  @Test(
    arguments: [
      ("", [1, 2, 3]), ("nginx", [1, 2]), ("NGINX", [1, 2]), ("nginx -close-wait", [1]), ("-nginx", [3]),
      ("close-wait", [2]), ("CLOSE_WAIT", [2]), ("close-w", [2]), ("-established -close-wait", [3]), ("10.0.0.7", [3]),
      (":443", [1, 2, 3]),
      ("812 40001", [1]), ("nginx curl", []), ("-", [1, 2, 3]), ("server", [1, 2, 3]), ("  nginx   close-wait ", [2]),
      ("nothing", []),
    ] as [(String, [UInt64])])
  func filters(_ filter: String, _ expected: [UInt64]) {
    let rows = [
      Self.row(1, seconds: 3), Self.row(2, .closeWait, seconds: 2),
      Self.row(3, .finWait2, seconds: 1, "curl", pid: 99, peer: 0x0a00_0007), Self.row(4, .listen),
    ]
    let list = Self.list(rows) { $0.filter = filter }
    #expect(Self.connections(list) == expected)
    let counts = list.counts
    #expect(
      counts[Int(TCPState.closeWait.number)] == (expected.contains(2) ? 1 : 0), "the header counts what is listed")
    #expect(counts[Int(TCPState.established.number)] == (expected.contains(1) ? 1 : 0))
  }

  /// The group with the most in CLOSE-WAIT comes first, however small it is.
  @Test func groups() {
    let rows =
      (1...5).map { Self.row($0, seconds: $0) }
      + [
        Self.row(6, .closeWait, seconds: 70, "leaky", pid: 7), Self.row(7, .timeWait, "leaky", pid: 7),
        Self.row(8, .listen),
      ]
    let list = Self.list(rows) { $0.grouping = .process }
    #expect(list.count == 2)
    #expect(list.line(0) == .group(.process(ShortName("leaky"), 7)))
    #expect(list.groups.map(\.count) == [2, 5] && list.groups.map(\.closeWait) == [1, 0])
    let open = Self.list(rows) { ($0.grouping, $0.group) = (.process, .process(ShortName("leaky"), 7)) }
    #expect(Self.connections(open) == [6, nil])
    let ports = Self.list(rows) { $0.grouping = .port }
    #expect(ports.line(0) == .group(.port(443)) && ports.count == 1)
    let peers = Self.list(rows) { $0.grouping = .peer }
    #expect(peers.line(0) == .group(.peer(IPAddress(v4: 0x0a00_0009))))
  }
}
