import Foundation
import TCPStateCore
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
}
