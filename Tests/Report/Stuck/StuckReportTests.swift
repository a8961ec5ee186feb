// SPDX-License-Identifier: Apache-2.0
import Foundation
@testable import TCPStateCore
@testable import TCPStateReport
import TestSupport
import Testing

@Suite struct StuckReportTests {
  private static func socket(_ id: UInt64, _ state: TCPState = .closeWait, seconds: UInt64?, _ verdict: Verdict)
    -> StuckSocket
  {
    var socket = StuckSocket(connection: id, state: state)
    socket.age = seconds.map { Stay(nanoseconds: $0 * 1_000_000_000, kind: .atLeast) }
    socket.verdict = verdict
    socket.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: 443)
    socket.peer = Endpoint(address: IPAddress(v4: 0x0a00_0009), port: UInt16(40_000 + id))
    socket.netns = 1
    socket.timeouts = 0
    socket.cgroup = 77
    socket.userID = 33
    (socket.unreadBytes, socket.unsentBytes, socket.unacknowledgedBytes) = (0, 0, 0)
    return socket
  }

  private static let reading: StuckReading = {
    var reading = StuckReading()
    var held = socket(1, seconds: 11_520, .held)
    held.holders = [SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14)]
    held.unreadBytes = 4096
    var shared = socket(2, seconds: 7200, .shared)
    shared.holders = [
      SocketHolder(pid: 90, name: ShortName("worker,\"a\""), descriptor: 7),
      SocketHolder(pid: 91, name: ShortName("\u{1b}[2Jevil"), descriptor: 8),
    ]
    shared.netns = 5
    var waiting = socket(3, seconds: 482, .unaccepted)
    waiting.listeners = [
      StuckListener(
        local: Endpoint(address: .unspecified, port: 8080),
        holders: [SocketHolder(pid: 901, name: ShortName("gunicorn"), descriptor: 5)], acceptQueue: 129,
        acceptQueueLimit: 128, requestQueue: 2)
    ]
    var lastAck = socket(4, .lastAck, seconds: 70, .orphan)
    lastAck.timeouts = 6
    lastAck.nextTimeout = 12_800_000_000
    lastAck.peer.address = IPAddress(high: 0x2001_0db8_0000_0000, low: 1)
    lastAck.local.address = IPAddress(high: 0x2001_0db8_0000_0000, low: 2)
    var connecting = socket(5, .synSent, seconds: nil, .held)
    connecting.holders = [SocketHolder(pid: 33, name: ShortName("curl"), descriptor: 5)]
    reading.sockets = [held, shared, waiting, lastAck, connecting]
    return reading
  }()

  /// Two whose age isn't certain: one with keepalive probes, and one with payload before its FIN.
  private static let uncertain: StuckReading = {
    var reading = one
    var kept = socket(6, seconds: 1, .held)
    kept.atMost = 7980 * 1_000_000_000
    kept.cause = .notClosed
    kept.hasKeepalive = true
    kept.holders = [SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 15)]
    var closed = socket(7, .finWait1, seconds: nil, .orphan)
    closed.cause = .windowShut
    closed.unsentBytes = 3_780_608
    closed.windowShut = 6_000_000_000
    closed.probes = 1
    reading.uncertain = [kept, closed]
    reading.unlisted = 12
    return reading
  }()

  private static let one: StuckReading = {
    var one = StuckReading()
    one.sockets = [reading.sockets[0]]
    return one
  }()

  private func check(_ name: String, _ buffer: borrowing ByteBuffer) throws {
    let actual = buffer.withBytes { Data($0) }
    if let difference = try Golden("stuck/\(name)").difference(from: actual) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  /// Instead of the cgroup's path, which says the same in more words.
  @Test func workload() {
    var reading = Self.one
    reading.sockets[0].workload.containerName = InternedText("web\u{1b}")
    reading.sockets[0].workload.podName = InternedText("web-7d9f")
    var buffer = ByteBuffer()
    StuckTable(reading, style: StuckStyle(cgroups: [77: "/kubepods/x"])).append(to: &buffer)
    #expect(buffer.text.contains("  web-7d9f"))
    #expect(!buffer.text.contains("/kubepods"))
  }

  @Test(arguments: ["plain", "color", "ascii", "one", "empty", "uncertain"]) func table(_ name: String) throws {
    var buffer = ByteBuffer()
    let style = StuckStyle(
      table: TableStyle(color: name == "color", glyphs: name == "ascii" ? .ascii : .unicode), ownNamespace: 1,
      namespaces: [5: "blue"], cgroups: [77: "/system.slice/nginx.service"])
    let readings = ["one": Self.one, "empty": StuckReading(), "uncertain": Self.uncertain]
    let reading = readings[name] ?? Self.reading
    StuckTable(reading, style: style).append(to: &buffer)
    try check("table-\(name).txt", buffer)
    guard name != "color" else { return }
    let unsafe = buffer.text.unicodeScalars.filter { $0 != "\n" && $0.properties.generalCategory == .control }
    #expect(unsafe.isEmpty)
  }

  @Test func csv() throws {
    var buffer = ByteBuffer()
    var csv = StuckCSV()
    csv.appendHeader(to: &buffer)
    for socket in Self.reading.sockets {
      csv.append(socket, time: 1_700_000_000_123_456_789, cgroups: [77: "/a,b"], to: &buffer)
    }
    try check("rows.csv", buffer)
    let rows = try CSVTable(buffer.withBytes { Array($0) }).rows
    #expect(rows[1]["process_name"] == "worker,\"a\"")
    #expect(rows[1]["cgroup_path"] == "/a,b")
    #expect(rows[4]["state_duration_ns"] == "" && rows[4]["duration_kind"] == "")
  }

  @Test func json() throws {
    var buffer = ByteBuffer()
    var json = StuckJSON()
    for socket in Self.reading.sockets {
      json.append(socket, time: 1_700_000_000_123_456_789, cgroups: [77: "/a\"b"], to: &buffer)
    }
    try check("rows.jsonl", buffer)
    for line in buffer.text.split(separator: "\n") {
      #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }
  }

  /// Every format has those of uncertain age, and says that they are.
  @Test func uncertainRows() throws {
    var text = ByteBuffer()
    var lines = ByteBuffer()
    var csv = StuckCSV()
    var json = StuckJSON()
    csv.appendHeader(to: &text)
    for socket in Self.uncertain.uncertain {
      csv.append(socket, .uncertain, time: 1, cgroups: [:], to: &text)
      json.append(socket, .uncertain, time: 1, cgroups: [:], to: &lines)
    }
    let rows = try CSVTable(text.withBytes { Array($0) }).rows
    #expect(rows.map { $0["event"] } == ["uncertain", "uncertain"])
    #expect(rows.map { $0["state_duration_at_most_ns"] } == ["7980000000000", ""])
    #expect(rows.map { $0["cause"] } == ["not_closed", "window_shut"])
    #expect(rows[1]["window_shut_ns"] == "6000000000" && rows[1]["probes"] == "1" && rows[1]["silence_ns"] == "")
    let objects = try lines.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(objects.map { $0["tcp.event"] as? String } == ["uncertain", "uncertain"])
    #expect(objects[0]["tcp.state_duration_at_most_ns"] as? String == "7980000000000")
  }

  @Test func notes() {
    var query = StuckQuery(states: [.closeWait, .finWait1, .established])
    #expect(
      StuckNote(query, Self.uncertain).lines == [
        "2 sockets may have been in FIN-WAIT-1 or CLOSE-WAIT for 1 m 0 s or longer: answers to keepalive probes hide when "
          + "the peer closed; stuck --watch shows exact ages from its start on.",
        "12 sockets may have been in ESTABLISHED for 1 m 0 s or longer: the kernel doesn't keep when that began; "
          + "--older-than 0s lists all.",
      ])
    var reading = StuckReading()
    reading.uncertain = [Self.uncertain.uncertain[1]]
    query.states = [.finWait1]
    #expect(
      StuckNote(query, reading).lines == [
        "1 socket may have been in FIN-WAIT-1 for 1 m 0 s or longer, listed with the bounds of their age; "
          + "stuck --watch shows exact ages from its start on."
      ])
    #expect(StuckNote(query, Self.one).lines.isEmpty)
  }

  /// What `--watch` prints as a socket crosses the threshold, and as it ends.
  @Test(arguments: ["plain", "color"]) func watch(_ name: String) throws {
    var buffer = ByteBuffer()
    var line = StuckLine(
      style: StuckStyle(table: TableStyle(color: name == "color", utc: true), ownNamespace: 1, namespaces: [5: "blue"]))
    line.appendHeader(to: &buffer)
    for (number, socket) in Self.reading.sockets.enumerated() {
      let time = 1_700_000_000_123_456_789 + UInt64(number) * 1_000_000_000
      line.append(socket, .crossed, time: time, to: &buffer)
      if number % 2 == 0 { line.append(socket, .ended, time: time + 500_000_000, to: &buffer) }
    }
    try check("watch-\(name).txt", buffer)
    if name == "plain" { #expect(!buffer.text.contains("\u{1b}"), "a hostile name reaches the terminal") }
  }

  /// What `--exec` passes on: one variable per known field, none for the unknown ones.
  @Test func environment() throws {
    let sockets = Self.reading.sockets
    let held = StuckEnvironment.variables(
      sockets[0], .crossed, time: 1_700_000_000_123_456_789, cgroups: [77: "/system.slice/nginx.service"])
    for variable in [
      "TCPSTATE_PROCESS_PID=812", "TCPSTATE_PROCESS_NAME=nginx", "TCPSTATE_PEER_ADDRESS=10.0.0.9",
      "TCPSTATE_UNREAD_BYTES=4096", "TCPSTATE_VERDICT=held", "TCPSTATE_CGROUP_PATH=/system.slice/nginx.service",
    ] {
      #expect(held.contains(variable), "\(variable) in \(held)")
    }
    #expect(held.allSatisfy { $0.hasPrefix("TCPSTATE_") && !$0.hasSuffix("=") })
    let connecting = StuckEnvironment.variables(sockets[4], .ended, time: 0, cgroups: [:])
    #expect(!connecting.contains { $0.hasPrefix("TCPSTATE_STATE_DURATION_NS") }, "its age isn't known")
    #expect(Set(connecting.map { $0.prefix { $0 != "=" } }).count == connecting.count)
  }

  /// The states that a socket may be found in, and the verdicts and causes it may have there.
  private static let cases: [(TCPState, [Verdict], [StuckCause?])] = [
    (.synSent, [.held, .unseen, .closing], [.unanswered]),
    (.synReceived, [.halfOpen], [.handshake, .awaitsData, .queueFull]),
    (
      .established, [.held, .shared],
      [.idle, .notReading, .sending, .windowShut, .unanswered, .probeUnanswered]
    ),
    (.established, [.unaccepted], [.notAccepted]), (.established, [.unseen], [.idle]),
    (.established, [.unknown], [nil]),
    (
      .closeWait, [.held, .shared],
      [.notClosed, .notReading, .sending, .windowShut, .unanswered, .probeUnanswered]
    ),
    (.closeWait, [.unaccepted], [.notAccepted]), (.closeWait, [.closing], [.inSystemCall]),
    (.closeWait, [.unknown], [nil]),
    (.finWait1, [.held, .orphan], [.unanswered, .windowShut, .probeUnanswered, .finUnsent]),
    (.finWait2, [.held], [.peerNotClosed, .notReading]), (.finWait2, [.orphan], [.peerNotClosed]),
    (.finWait2, [.unknown], [nil]), (.closing, [.orphan], [.unanswered]), (.lastAck, [.held, .orphan], [.unanswered]),
  ]

  private static let holder = SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14)

  private static func example(_ id: Int, _ state: TCPState, _ verdict: Verdict, _ cause: StuckCause?) -> StuckSocket {
    var socket = socket(UInt64(id), state, seconds: 90, verdict)
    socket.cause = cause
    if [.held, .shared, .unknown].contains(verdict) { socket.holders = [holder] }
    if verdict == .shared { socket.holders.append(SocketHolder(pid: 813, name: ShortName("worker"), descriptor: 7)) }
    if cause != nil, state == .established { socket.silence = 100_000_000_000 }
    switch cause {
    case .notReading: socket.unreadBytes = 128_672
    case .windowShut: (socket.unsentBytes, socket.windowShut) = (3_780_608, 6_000_000_000)
    case .finUnsent, .sending: (socket.unsentBytes, socket.unacknowledgedBytes) = (1000, 24)
    case .probeUnanswered: socket.probes = 4
    case .unanswered, .handshake: socket.timeouts = 3
    default: break
    }
    if verdict == .halfOpen || verdict == .unaccepted, state != .established {
      socket.listeners = [
        StuckListener(local: socket.local, holders: [holder], acceptQueue: 129, acceptQueueLimit: 128, requestQueue: 2)
      ]
    }
    return socket
  }

  /// Each state, verdict and cause has its sentence, and no sentence has an empty place.
  @Test func advice() throws {
    var reading = StuckReading()
    for (state, verdicts, causes) in Self.cases {
      for verdict in verdicts {
        for cause in causes { reading.sockets.append(Self.example(reading.sockets.count, state, verdict, cause)) }
      }
    }
    var buffer = ByteBuffer()
    StuckTable(reading, style: StuckStyle(table: TableStyle(), ownNamespace: 1)).append(to: &buffer)
    try check("advice.txt", buffer)
    #expect(!buffer.text.contains("  :") && !buffer.text.contains(" ,"))
  }

  /// Nobody is blamed for what another end does.
  @Test func adviceBlamesWhoMustAct() throws {
    func sentence(_ state: TCPState, _ verdict: Verdict, _ cause: StuckCause, keepalive: Bool = false) -> String {
      var socket = Self.example(1, state, verdict, cause)
      socket.hasKeepalive = keepalive
      return StuckAdvice(style: StuckStyle(table: TableStyle(), ownNamespace: 1)).sentences([socket]).first ?? ""
    }
    #expect(!sentence(.established, .held, .notReading).contains("nothing has arrived"))
    #expect(!sentence(.closeWait, .held, .notReading).contains("missing close()"))
    #expect(!sentence(.closeWait, .held, .windowShut).contains("missing close()"))
    #expect(!sentence(.finWait1, .orphan, .windowShut).contains("acknowledged the FIN"))
    #expect(!sentence(.synReceived, .halfOpen, .awaitsData).contains("SYN flood"))
    #expect(!sentence(.established, .held, .idle, keepalive: true).contains("set SO_KEEPALIVE"))
    #expect(sentence(.established, .held, .idle).contains("set SO_KEEPALIVE"))
    // The end of the stream is what it hasn't read.
    var socket = Self.example(1, .closeWait, .held, .notReading)
    socket.unreadBytes = 0
    let forgotten = StuckAdvice(style: StuckStyle(table: TableStyle())).sentences([socket])[0]
    #expect(forgotten.contains("hasn't read the end of the stream") && forgotten.contains("missing close()"))
  }

  /// Of SO_REUSEPORT listeners the kernel doesn't show which one's queue a socket is in.
  @Test func oneOfSeveralQueues() {
    var socket = Self.reading.sockets[2]
    socket.listeners.append(socket.listeners[0])
    var reading = StuckReading()
    reading.sockets = [socket]
    var buffer = ByteBuffer()
    StuckTable(reading, style: StuckStyle(table: TableStyle(), ownNamespace: 1)).append(to: &buffer)
    #expect(buffer.text.contains("  in one of 2 queues, such as that of gunicorn/901 (:8080, 129 of 128)\n"))
  }

  /// The words of every forecast for TIME-WAIT.
  @Test func forecasts() {
    let local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: 0)
    let peer = Endpoint(address: IPAddress(v4: 0x0a00_0009), port: 443)
    func table(ports: UInt16?, reuse: PortSupply.Reuse = .never, connected: Bool? = true, ages: [UInt64?]) -> String {
      let supply = ports.map { PortSupply(range: 1...$0, reserved: $0 == 9 ? [1...9] : [], reuse: reuse) }
      var group = TimeWaitGroup(netns: 1, local: local, peer: peer, connected: connected, supply: supply)
      for (index, age) in ages.enumerated() {
        var socket = StuckSocket(connection: UInt64(index), state: .timeWait)
        socket.local.port = UInt16(index + 1)
        socket.hasTimestamps = true
        socket.age = age.map { Stay(nanoseconds: $0 * 1_000_000_000, kind: .exact) }
        group.add(socket)
      }
      var buffer = ByteBuffer()
      TimeWaitTable([group], style: StuckStyle(table: TableStyle(), ownNamespace: 1)).append(to: &buffer)
      return buffer.text
    }
    #expect(table(ports: 100, ages: [0, 1, 2]).hasSuffix("  3 of 100    3 %  levels off at 60 at this rate\n"))
    #expect(table(ports: 100, ages: [30, 40]).hasSuffix("  falling\n"))
    #expect(table(ports: 2, ages: [0, 1]).hasSuffix("  no port is left\n"))
    #expect(table(ports: 9, ages: [30]).hasSuffix("  0 of 0         no port is left\n"))
    #expect(table(ports: 10, ages: [0, 1, 2, 3]).hasSuffix("  no port is left in 6.00 s at this rate\n"))
    #expect(
      table(ports: 10, reuse: .always, ages: [0, 1, 2, 3])
        .hasSuffix("  levels off at 2 at this rate, ports reused within 2.00 s\n"))
    #expect(table(ports: nil, connected: false, ages: [1]).contains("  closed by this side; uses no ephemeral ports\n"))
    #expect(table(ports: 100, ages: [nil]).contains("TIME-WAIT  OLDEST  PER S"))
  }
}
