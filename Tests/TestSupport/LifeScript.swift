// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Writes the rows that the kernel's two sockets of one connection produce.
///
/// Times are microseconds after `start`.
public struct LifeScript {
  public static let start: UInt64 = 1_795_468_323_204_131_000

  public var rows: [Transition] = []
  public var client: Transition
  public var server: Transition

  public init(x: UInt32 = 3_063_428_173, y: UInt32 = 918_230_011, ipv6: Bool = false) {
    client = Transition()
    client.connection = 0xa3f11
    client.role = .client
    client.ownerPID = 8_123
    client.ownerName = ShortName("curl")
    client.netns = 1
    client.local = Self.endpoint(ipv6 ? "2001:db8::5" : "10.0.0.5", 51_234)
    client.peer = Self.endpoint(ipv6 ? "2001:db8::9" : "10.0.0.9", 80)
    client.initialSendSequence = x
    client.initialReceiveSequence = y
    client.sendNext = x &+ 1
    client.sendUnacknowledged = x &+ 1
    client.receiveNext = y &+ 1
    client.bytesSent = 0
    client.bytesReceived = 0
    client.segmentsSent = 1
    client.segmentsReceived = 1
    client.rttMicroseconds = 12_100
    client.retransmits = 0
    client.congestionWindowPackets = 10
    client.congestionControl = ShortName("cubic")
    client.rtoMicroseconds = 212_000
    client.sendWindowBytes = 64_240
    client.receiveWindowBytes = 65_535
    client.old = .closed
    client.new = .closed
    server = client
    server.connection = 0xa3f12
    server.role = .server
    server.ownerPID = 812
    server.ownerName = ShortName("nginx")
    server.netns = 2
    server.local = client.peer
    server.peer = client.local
    server.initialSendSequence = y
    server.initialReceiveSequence = x
    server.sendNext = y &+ 1
    server.sendUnacknowledged = y &+ 1
    server.receiveNext = x &+ 1
    server.new = .listen
  }

  private static func endpoint(_ address: String, _ port: UInt16) -> Endpoint {
    Endpoint(address: IPAddress(parsing: address) ?? .unspecified, port: port)
  }

  /// One end enters a state.
  public mutating func go(
    _ side: Side, _ state: TCPState, at micros: UInt64, _ change: (inout Transition) -> Void = { _ in }
  ) {
    var row = side == .client ? client : server
    let before = row.time
    row.old = row.new
    row.new = state
    row.time = Self.start + micros * 1_000
    row.sequence = UInt64(rows.count + 1)
    row.stay = before == 0 ? nil : Stay(nanoseconds: row.time - before, kind: .exact)
    row.actorPID = nil
    row.actorName = ShortName()
    row.reason = nil
    switch (row.old, state) {
    case (.established, .finWait1): row.closer = .active
    case (.established, .closeWait): row.closer = .passive
    case (.finWait1, .closing): row.closer = .both
    default: break
    }
    change(&row)
    rows.append(row)
    if side == .client { client = row } else { server = row }
  }

  /// Transfers data in both directions, all of it acknowledged.
  public mutating func transfer(clientSends sent: UInt32, serverSends received: UInt32) {
    Self.move(&client, sent, received)
    Self.move(&server, received, sent)
  }

  private static func move(_ end: inout Transition, _ sent: UInt32, _ received: UInt32) {
    end.sendNext = end.sendNext.map { $0 &+ sent }
    end.sendUnacknowledged = end.sendNext
    end.receiveNext = end.receiveNext.map { $0 &+ received }
    end.bytesSent = (end.bytesSent ?? 0) + UInt64(sent)
    end.bytesReceived = (end.bytesReceived ?? 0) + UInt64(received)
    end.segmentsSent = (end.segmentsSent ?? 0) + 2
    end.segmentsReceived = (end.segmentsReceived ?? 0) + 2
  }

  // MARK: - The usual parts

  /// Steps 1–4, the SYN-ACK 40 µs after the SYN.
  public mutating func handshake() {
    go(.client, .synSent, at: 0) { row in
      row.initialSendSequence = nil
      row.initialReceiveSequence = nil
      row.stay = nil
    }
    restore()
    go(.client, .established, at: 12_400)
    go(.server, .synReceived, at: 12_480) { $0.stay = nil }
    go(.server, .established, at: 12_500) { $0.stay = Stay(nanoseconds: 12_460_000, kind: .exact) }
  }

  /// Sets the sequence numbers that a client's first row lacks.
  private mutating func restore() {
    client.initialSendSequence = server.initialReceiveSequence
    client.initialReceiveSequence = server.initialSendSequence
  }

  /// `side` sends a FIN and the other end receives it.
  public mutating func firstFin(_ side: Side, at micros: UInt64) {
    go(side, .finWait1, at: micros)
    receiveFin(side.other)
    go(side.other, .closeWait, at: micros + 40)
  }

  public mutating func receiveFin(_ side: Side) {
    edit(side) {
      $0.receiveNext = $0.receiveNext.map { $0 &+ 1 }
      $0.segmentsReceived = ($0.segmentsReceived ?? 0) + 1
    }
  }

  /// The FIN of `side` is acknowledged.
  public mutating func acknowledgeFin(_ side: Side) {
    edit(side) {
      $0.sendNext = $0.sendNext.map { $0 &+ 1 }
      $0.sendUnacknowledged = $0.sendNext
      $0.segmentsSent = ($0.segmentsSent ?? 0) + 1
    }
  }

  public mutating func edit(_ side: Side, _ change: (inout Transition) -> Void) {
    if side == .client { change(&client) } else { change(&server) }
  }

  /// Steps 1–7 of the close, and 8 with `timeWait`, with a segment for each.
  public mutating func orderlyClose(_ side: Side, at micros: UInt64, timeWait: Bool = true) {
    firstFin(side, at: micros)
    edit(side.other) { $0.segmentsSent = ($0.segmentsSent ?? 0) + 1 }
    acknowledgeFin(side)
    edit(side) { $0.segmentsReceived = ($0.segmentsReceived ?? 0) + 1 }
    go(side, .finWait2, at: micros + 90)
    go(side.other, .lastAck, at: micros + 20_000)
    receiveFin(side)
    go(side, .timeWait, at: micros + 20_060) {
      $0.reason = .fin
      $0.source = .derived
    }
    acknowledgeFin(side.other)
    go(side.other, .closed, at: micros + 20_110) { $0.reason = .fin }
    if timeWait {
      go(side, .closed, at: micros + 60_100_000) {
        $0.reason = .fin
        $0.source = .derived
      }
    }
  }

  // MARK: - Results

  /// The lives that result from the rows of some sides.
  public func lives(_ sides: Set<Side> = [.client, .server], waits: Bool = true) -> [Lifecycle] {
    var tracker = LifecycleTracker(waitsForTimeWait: waits)
    var lives: [Lifecycle] = []
    for row in rows where sides.contains(row.connection == 0xa3f11 ? .client : .server) {
      tracker.apply(row) { lives.append($0) }
    }
    tracker.finish { lives.append($0) }
    return lives
  }

  public func steps(_ sides: Set<Side> = [.client, .server]) -> [String] {
    lives(sides).flatMap { $0.steps.map(Self.describe) }
  }

  /// `2 server SYN ACK 918230011 3063428174 SYN-RECEIVED`; implied steps begin with `~`, expected ones with `…`.
  public static func describe(_ step: LifecycleStep) -> String {
    var words = [step.number.map { "\($0)" } ?? "-", step.side.name.description]
    if let act = step.act { words.append(act.name.description) }
    if let segment = step.segment {
      words += segment.flags.names.map(\.description)
      words.append(segment.sequence.map { "\($0)" } ?? "?")
      if segment.flags.contains(.ack) { words.append(segment.acknowledgement.map { "\($0)" } ?? "?") }
      if segment.isUnanswered { words.append("unanswered") }
    }
    if let state = step.state { words.append(state.name(.rfc)) }
    if let reason = step.reason { words.append("(\(reason.name))") }
    let mark = step.basis == .implied ? "~" : step.basis == .expected ? "…" : ""
    return mark + words.joined(separator: " ")
  }
}
