// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Transitions to render: what a terminal, a file or a reader may have to handle.
public enum SampleTransitions: String, CaseIterable, Sendable {
  case empty
  case oneConnection = "one-connection"
  case ipv6
  case loss
  case unknownState = "unknown-state"
  case hostileNames = "hostile-names"
  /// Everything that can be unknown is unknown.
  case unknown
  case endings
  /// In a pod, in a container without a name, in a unit.
  case workloads

  public var rows: [Transition] {
    switch self {
    case .empty: []
    case .oneConnection: Self.connection()
    case .ipv6: Self.ipv6Rows()
    case .loss: Self.lossRows()
    case .unknownState: Self.unknownStateRows()
    case .hostileNames: Self.hostileRows()
    case .unknown: [Self.bare()]
    case .endings: Self.endingRows()
    case .workloads: Self.workloadRows()
    }
  }

  /// 2026-11-23T21:12:03.204131000Z
  public static let start: UInt64 = 1_795_468_323_204_131_000

  private static func workloadRows() -> [Transition] {
    let id = String(repeating: "3f2a81c09d114be7", count: 4)
    var rows = Array(connection().prefix(3))
    rows[0].workload.containerID = InternedText(id)
    rows[0].workload.containerName = InternedText("nginx")
    rows[0].workload.podName = InternedText("web-7d9f8c6b54-x2x9k-of-a-very-long-name")
    rows[0].workload.podNamespace = InternedText("default")
    rows[1].workload.containerID = InternedText(id)
    rows[2].workload.unit = InternedText("app-\\x2dweb@\"1\",é.service")
    return rows
  }

  /// A client whose peer closes first.
  private static func connection() -> [Transition] {
    var row = client()
    var rows: [Transition] = []
    func step(_ state: TCPState, after stay: UInt64, _ change: (inout Transition) -> Void = { _ in }) {
      row.old = row.new
      row.new = state
      row.time += stay
      row.sequence += 1
      row.stay = Stay(nanoseconds: stay, kind: .exact)
      row.actorPID = nil
      row.actorName = ShortName()
      change(&row)
      rows.append(row)
    }
    step(.synSent, after: 0) {
      $0.stay = nil
      $0.act()
    }
    step(.established, after: 12_400_000) {
      $0.rttMicroseconds = 12_380
      $0.bytesSent = 0
      $0.bytesReceived = 0
      $0.retransmits = 0
      $0.fillAll()
    }
    step(.closeWait, after: 5_790_000_000) {
      $0.bytesSent = 812
      $0.bytesReceived = 48_120
      $0.rttMicroseconds = 12_100
      $0.closer = .passive
    }
    step(.lastAck, after: 380_000) { $0.act() }
    step(.closed, after: 11_950_000) { $0.reason = .fin }
    return rows
  }

  private static func ipv6Rows() -> [Transition] {
    var listener = Transition()
    listener.time = start
    listener.sequence = 1
    listener.connection = 0x2a
    listener.role = .listener
    listener.ownerPID = 812
    listener.ownerName = ShortName("nginx")
    listener.userID = 0
    listener.netns = 4_026_531_840
    listener.local = Endpoint(address: .unspecified, port: 443)
    listener.new = .listen

    var server = listener
    server.time += 1_000
    server.sequence = 2
    server.connection = 0x2b
    server.role = .server
    server.local = endpoint("2001:db8::1", 443)
    server.peer = endpoint("2001:db8:ffff:1234:5678:9abc:def0:1234", 61_234)
    server.old = .synReceived
    server.new = .established
    server.stay = Stay(nanoseconds: 380_000, kind: .exact)

    var local = server
    local.time += 1_000_000_000
    local.sequence = 3
    local.connection = 0x2c
    local.role = .client
    local.local = endpoint("::1", 40_112)
    local.peer = endpoint("::ffff:10.0.0.9", 80)
    local.old = .established
    local.new = .finWait1
    local.stay = Stay(nanoseconds: 59_990_000_000, kind: .exact)
    return [listener, server, local]
  }

  private static func lossRows() -> [Transition] {
    var before = client()
    before.sequence = 7
    before.old = .synSent
    before.new = .established
    before.stay = Stay(nanoseconds: 999_600, kind: .exact)
    var after = before
    after.sequence = 1_031
    after.time += 125_000_000_000
    after.old = .established
    after.new = .closeWait
    after.stay = Stay(nanoseconds: 124_999_000_000, kind: .atLeast)
    after.source = .snapshot
    var long = after
    long.sequence = 1_032
    long.old = .closeWait
    long.new = .lastAck
    long.source = .event
    long.stay = Stay(nanoseconds: 11_579_000_000_000, kind: .atLeast)
    return [before, after, long]
  }

  private static func unknownStateRows() -> [Transition] {
    var row = client()
    row.sequence = 1
    row.old = .established
    row.new = TCPState(number: 14)
    row.stay = Stay(nanoseconds: 850, kind: .exact)
    var next = row
    next.sequence = 2
    next.old = row.new
    next.new = TCPState(number: 255)
    return [row, next]
  }

  /// Names that `comm` may hold: at most 15 bytes, any except NUL.
  public static let nastyNames: [[UInt8]] = [
    Array("a,b\"c".utf8),
    Array("=1+1".utf8),
    Array("-cmd|' /C calc".utf8),
    Array("@SUM(1)".utf8),
    Array("\tt".utf8),
    Array("two\nlines".utf8),
    Array("cr\rlf\n".utf8),
    Array("\u{1b}[2Jgone".utf8),
    [0x62, 0x61, 0x64, 0xff, 0xc3, 0x28],
    // Cut inside a character, as the kernel does.
    Array("naïve-日本語".utf8.prefix(15)),
    Array("rtl\u{202e}cod".utf8),
    Array("c1\u{9b}2J".utf8),
    Array("back\\slash".utf8),
    Array("NA".utf8),
    Array("exactly15bytes!".utf8),
  ]

  private static func hostileRows() -> [Transition] {
    nastyNames.enumerated().map { index, name in
      var row = client()
      row.sequence = UInt64(index + 1)
      row.ownerName = ShortName(bytes: name)
      row.actorPID = row.ownerPID
      row.actorName = row.ownerName
      row.old = .closed
      row.new = .synSent
      return row
    }
  }

  private static func endingRows() -> [Transition] {
    Reason.allCases.enumerated().map { index, reason in
      var row = client()
      row.sequence = UInt64(index + 1)
      row.old = reason == .refused || reason == .timeout ? .synSent : .established
      row.new = .closed
      row.stay = Stay(nanoseconds: 1_234_567 << UInt64(2 * index), kind: .exact)
      row.reason = reason
      if reason == .resetSent { row.resetReason = .tcpTimewaitSocket }
      if reason == .aborted { row.resetReason = .tcpAbortOnLinger }
      if reason == .killed || reason == .fin {
        row.actorPID = 999
        row.actorName = ShortName("ss")
      }
      return row
    }
  }

  private static func bare() -> Transition {
    var row = Transition()
    row.time = 1
    row.old = .established
    row.new = .closeWait
    return row
  }

  public static func client() -> Transition {
    var row = Transition()
    row.time = start
    row.connection = 0xa3f11
    row.role = .client
    row.ownerPID = 8_123
    row.ownerName = ShortName("curl")
    row.userID = 1_000
    row.cgroup = 4_711
    row.netns = 4_026_531_840
    row.local = endpoint("10.0.0.5", 51_234)
    row.peer = endpoint("93.184.216.34", 443)
    return row
  }

  private static func endpoint(_ address: String, _ port: UInt16) -> Endpoint {
    Endpoint(address: IPAddress(parsing: address) ?? .unspecified, port: port)
  }
}

extension Transition {
  /// The owner made the transition.
  fileprivate mutating func act() {
    actorPID = ownerPID
    actorName = ownerName
  }

  fileprivate mutating func fillAll() {
    initialSendSequence = 3_063_428_173
    initialReceiveSequence = 918_230_011
    sendUnacknowledged = 3_063_428_174
    sendNext = 3_063_428_174
    receiveNext = 918_230_012
    unreadBytes = 0
    unacknowledgedBytes = 0
    unsentBytes = 0
    receiveShutdown = 0
    timeKind = .exact
    sendWindowBytes = 64_240
    receiveWindowBytes = 65_535
    congestionWindowPackets = 10
    congestionControl = ShortName("cubic")
    rtoMicroseconds = 212_000
    synAckRetransmits = 0
    segmentsSent = 2
    segmentsReceived = 1
    socketAddress = 0xffff_8881_0a2b_3c40
    interface = 2
  }
}
