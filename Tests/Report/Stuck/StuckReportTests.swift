// SPDX-License-Identifier: Apache-2.0
import Foundation
@testable import TCPStateCore
import TCPStateReport
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

  @Test(arguments: ["plain", "color", "ascii", "one", "empty"]) func table(_ name: String) throws {
    var buffer = ByteBuffer()
    let style = StuckStyle(
      table: TableStyle(color: name == "color", glyphs: name == "ascii" ? .ascii : .unicode), ownNamespace: 1,
      namespaces: [5: "blue"], cgroups: [77: "/system.slice/nginx.service"])
    let reading = name == "one" ? Self.one : name == "empty" ? StuckReading() : Self.reading
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

  /// The states that a socket may be found in, and the verdicts it may have there.
  private static let cases: [(TCPState, [Verdict])] = [
    (.synSent, [.held, .unseen]), (.synReceived, [.halfOpen]),
    (.established, [.held, .shared, .unaccepted, .unseen, .unknown]),
    (.closeWait, [.held, .shared, .unaccepted, .unseen, .unknown]), (.finWait1, [.held, .orphan]),
    (.finWait2, [.held, .orphan, .unknown]), (.closing, [.orphan]), (.lastAck, [.held, .orphan]),
  ]

  /// Each state and verdict has its sentence, and no sentence has an empty place.
  @Test func advice() throws {
    var reading = StuckReading()
    let holder = SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14)
    for (state, verdicts) in Self.cases {
      for verdict in verdicts {
        var socket = Self.socket(UInt64(reading.sockets.count), state, seconds: 90, verdict)
        if [.held, .shared, .unknown].contains(verdict) { socket.holders = [holder] }
        if verdict == .shared {
          socket.holders.append(SocketHolder(pid: 813, name: ShortName("worker"), descriptor: 7))
        }
        if verdict == .halfOpen { socket.timeouts = 3 }
        if verdict == .unaccepted, state == .closeWait {
          socket.listeners = [
            StuckListener(
              local: socket.local, holders: [holder], acceptQueue: 129, acceptQueueLimit: 128, requestQueue: 2)
          ]
        }
        reading.sockets.append(socket)
      }
    }
    var buffer = ByteBuffer()
    StuckTable(reading, style: StuckStyle(table: TableStyle(), ownNamespace: 1)).append(to: &buffer)
    try check("advice.txt", buffer)
    #expect(!buffer.text.contains("  :") && !buffer.text.contains(" ,"))
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
    func table(ports: UInt64?, connected: Bool? = true, ages: [UInt64?]) -> String {
      var group = TimeWaitGroup(netns: 1, local: local, peer: peer, connected: connected, ports: ports)
      for age in ages { group.add(age: age.map { $0 * 1_000_000_000 }, maker: nil) }
      var buffer = ByteBuffer()
      TimeWaitTable([group], style: StuckStyle(table: TableStyle(), ownNamespace: 1)).append(to: &buffer)
      return buffer.text
    }
    #expect(table(ports: 100, ages: [0, 1, 2]).hasSuffix("  levels off at 18 at this rate\n"))
    #expect(table(ports: 100, ages: [30, 40]).hasSuffix("  falling\n"))
    #expect(table(ports: 2, ages: [0, 1]).hasSuffix("  no ports left\n"))
    #expect(table(ports: 10, ages: [0, 1, 2, 3]).hasSuffix("  no ports left in 15.0 s at this rate\n"))
    #expect(table(ports: nil, connected: false, ages: [1]).contains("  closed by this side; uses no ephemeral ports\n"))
    #expect(table(ports: 100, ages: [nil]).contains("TIME-WAIT  OLDEST  PER S"))
  }
}
