// SPDX-License-Identifier: Apache-2.0
import Foundation
@testable import TCPStateCore
@testable import TCPStateReport
import TestSupport
import Testing

/// The tables of `stuck` at the widths of terminals, with all that is wide: long IPv6 addresses, names of wide characters,
/// network namespaces, paths of cgroups.
@Suite struct StuckWidthTests {
  static let widths = [60, 80, 100, 120, 160, 200]

  private static let long = IPAddress(parsing: "2001:db8:85a3:1234:5678:8a2e:370:7334") ?? .unspecified

  private static func socket(_ id: UInt64, _ state: TCPState, _ name: String, seconds: UInt64) -> StuckSocket {
    var socket = StuckSocket(connection: id, state: state)
    socket.age = Stay(nanoseconds: seconds * 1_000_000_000, kind: .atLeast)
    socket.holders = [
      SocketHolder(pid: 4_194_303 - 10 * UInt32(id), name: ShortName(bytes: name.utf8), descriptor: 1014)
    ]
    socket.cause = state == .closeWait ? .notReading : .peerNotClosed
    socket.local = Endpoint(address: IPAddress(v4: 0xc0a8_64c8), port: 59_019)
    socket.peer = Endpoint(address: IPAddress(v4: 0xc0a8_64c9), port: 40_004)
    socket.netns = 4_026_531_840
    socket.cgroup = 77
    (socket.unreadBytes, socket.unsentBytes, socket.unacknowledgedBytes) = (3_780_608, 128_672, 0)
    return socket
  }

  private static let reading: StuckReading = {
    var reading = StuckReading()
    var v6 = socket(1, .closeWait, "日本語日本", seconds: 1_100_000)
    (v6.local.address, v6.peer.address) = (long, long)
    v6.holders.append(SocketHolder(pid: 4_194_302, name: ShortName("a-name-of-15-by"), descriptor: 7))
    v6.verdict = .shared
    let hostile = socket(2, .closeWait, "\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}", seconds: 7200)
    var waiting = socket(3, .finWait2, "", seconds: 482)
    waiting.holders = []
    waiting.verdict = .unaccepted
    waiting.listeners = [
      StuckListener(
        local: waiting.local, holders: [SocketHolder(pid: 901, name: ShortName("gunicorn"), descriptor: 5)],
        acceptQueue: 129,
        acceptQueueLimit: 128, requestQueue: 2)
    ]
    reading.sockets = [v6, hostile, waiting]
    var maybe = socket(4, .closeWait, "nginx", seconds: 1)
    maybe.atMost = 7980 * 1_000_000_000
    reading.uncertain = [maybe]
    return reading
  }()

  private static let timeWait: StuckReading = {
    var group = TimeWaitGroup(
      netns: 4_026_531_840, local: Endpoint(address: long, port: 0), peer: Endpoint(address: long, port: 40_004),
      connected: true,
      supply: PortSupply(range: 32_768...60_999))
    for second in 0..<3 as Range<UInt64> {
      var socket = StuckSocket(connection: second, state: .timeWait)
      socket.local.port = UInt16(40_000 + second)
      socket.age = Stay(nanoseconds: second * 1_000_000_000, kind: .exact)
      socket.maker = SocketHolder(pid: 4_194_303, name: ShortName("a-name-of-15-by"), descriptor: nil)
      group.add(socket)
    }
    var reading = StuckReading()
    reading.timeWait = [group]
    return reading
  }()

  private static func style(_ width: Int) -> StuckStyle {
    StuckStyle(
      table: TableStyle(width: width, utc: true), ownNamespace: 1, namespaces: [4_026_531_840: "名前空間-of-customer-0815"],
      cgroups: [77: "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"])
  }

  private func check(_ name: String, _ buffer: borrowing ByteBuffer, fits width: Int) throws {
    for line in buffer.text.split(separator: "\n") where !line.contains(" ss -K ") {
      #expect(DisplayWidth.of(String(line)) <= width, "\(width): \(line)")
    }
    let actual = buffer.withBytes { Data($0) }
    if let difference = try Golden("stuck-widths/\(name)-\(width).txt").difference(from: actual) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  @Test(arguments: widths) func table(_ width: Int) throws {
    var buffer = ByteBuffer()
    StuckTable(Self.reading, style: Self.style(width), view: StuckView(showsCommand: true)).append(to: &buffer)
    buffer.append("\n")
    StuckTable(Self.timeWait, style: Self.style(width)).append(to: &buffer)
    try check("table", buffer, fits: width)
  }

  @Test(arguments: widths) func watch(_ width: Int) throws {
    var buffer = ByteBuffer()
    for states in [[.closeWait], [.closeWait, .finWait2]] as [Set<TCPState>] {
      var line = StuckLine(style: Self.style(width), states: states)
      line.appendHeader(to: &buffer)
      for socket in Self.reading.listed where states.contains(socket.state) {
        for event in [.crossed, .ended] as [StuckEvent] {
          line.append(socket, event, time: 1_700_000_000_123_456_789, to: &buffer)
        }
      }
      buffer.append("\n")
    }
    var left = Self.reading
    left.sockets[0].isOlder = true
    StuckTable(left, style: Self.style(width), view: StuckView(showsGrowth: true, listsSockets: false)).append(
      to: &buffer)
    try check("watch", buffer, fits: width)
  }

  /// Every width in between.
  @Test func fits() {
    for width in 60...240 {
      var buffer = ByteBuffer()
      for grouping in StuckGrouping.allCases {
        StuckTable(Self.reading, style: Self.style(width), view: StuckView(grouping: grouping)).append(to: &buffer)
      }
      StuckTable(Self.timeWait, style: Self.style(width)).append(to: &buffer)
      for states in [[], [.closeWait]] as [Set<TCPState>] {
        var line = StuckLine(style: Self.style(width), states: states)
        line.appendHeader(to: &buffer)
        for socket in Self.reading.listed { line.append(socket, .crossed, time: 1, to: &buffer) }
      }
      for line in buffer.text.split(separator: "\n") {
        #expect(DisplayWidth.of(String(line)) <= width, "\(width): \(line)")
      }
    }
  }

  /// What 80 columns have room for, for a common leak: its owner, age, descriptor, both ports, and why.
  @Test func commonLeak() {
    var socket = Self.socket(1, .closeWait, "python3", seconds: 67)
    (socket.unreadBytes, socket.unsentBytes) = (0, 0)
    socket.holders[0].pid = 11_964
    socket.holders[0].descriptor = 4
    socket.netns = 1
    var reading = StuckReading()
    reading.sockets = [socket]
    var buffer = ByteBuffer()
    StuckTable(reading, style: Self.style(80)).append(to: &buffer)
    let rows = buffer.text.split(separator: "\n")
    #expect(
      rows.contains {
        $0.contains("≥ 1 m 7 s  python3/11964   4  :59019  192.168.100.201:40004") && $0.contains("held")
      },
      "\(buffer.text)")
  }

  /// Tables have as many rows as --limit says, and name the rest.
  @Test func limit() {
    var reading = StuckReading()
    for id in 0..<50 as Range<UInt64> {
      var socket = Self.socket(id, .closeWait, "worker", seconds: 1000 - id)
      socket.holders[0].pid = UInt32(id / 2 + 1)
      socket.holders[0].descriptor = UInt32(id)
      reading.sockets.append(socket)
    }
    func text(_ view: StuckView) -> String {
      var buffer = ByteBuffer()
      StuckTable(reading, style: StuckStyle(ownNamespace: 4_026_531_840), view: view).append(to: &buffer)
      return buffer.text
    }
    let limited = text(StuckView(limit: 20))
    #expect(limited.contains("and 10 sockets of 5 more; --all lists them\n"))
    #expect(limited.contains("and 30 more sockets; --all lists them\n"))
    #expect(limited.split(separator: "\n").count { $0.contains(":59019  192.168") } == 20)
    #expect(limited.contains("the peers closed, the first ≥ 16 m 40 s ago, and 25 worker processes haven't read"))
    let all = text(StuckView())
    #expect(!all.contains("--all") && all.split(separator: "\n").count { $0.contains(":59019  192.168") } == 50)
    #expect(!text(StuckView(limit: 0)).contains("LOCAL"))
  }

  /// The command picks out the sockets, in their namespace; it is there to be copied, so nothing is cut.
  @Test func endCommand() {
    func lines(_ sockets: [StuckSocket]) -> [String] { StuckEndCommand(style: Self.style(80)).lines(sockets) }
    var one = Self.socket(1, .closeWait, "nginx", seconds: 90)
    one.netns = 1
    #expect(
      lines([one]) == [
        "To end it by force: sudo ss -K state close-wait 'src 192.168.100.200:59019 and dst 192.168.100.201:40004'",
        "Its process gets an error and keeps the descriptor.",
      ])
    var several: [StuckSocket] = []
    for port in 1...9 as ClosedRange<UInt16> {
      var socket = one
      socket.peer.port = 40_000 + port
      socket.state = port == 1 ? .synReceived : .closeWait
      several.append(socket)
    }
    #expect(
      lines(several).first
        == "To end them by force: sudo ss -K state syn-recv state close-wait 'sport = :59019 and dst 192.168.100.201'")
    #expect(lines(several).last == "It ends all sockets that match, the younger ones, too.")
    // A name that a shell would read otherwise isn't used, and IPv6 has brackets.
    let foreign = lines([Self.reading.sockets[0]])
    #expect(
      foreign.first
        == "To end it by force: sudo nsenter --net=/proc/4194293/ns/net ss -K state close-wait "
        + "'src [2001:db8:85a3:1234:5678:8a2e:370:7334]:59019 and dst [2001:db8:85a3:1234:5678:8a2e:370:7334]:40004'")
    #expect(lines([StuckSocket(connection: 1, state: .timeWait)]).isEmpty)
    // Nothing in common: no filter would pick them out.
    for index in several.indices {
      several[index].local.port = UInt16(index + 1)
      several[index].peer.address = IPAddress(v4: UInt32(index + 1))
    }
    #expect(lines(several).isEmpty)
  }
}
