// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The fold over transitions: everything on the page that is counted as it happens.
///
/// Pure. A transition costs some nanoseconds and no allocation.
package struct TransitionMetrics: ~Copyable {
  /// The states a connection can be in, which have a series even at zero. CLOSED isn't one: there is no such socket.
  package static let states = TCPState.all.filter { $0 != .closed }
  /// Roles of the ends of a connection.
  static let roles: [Role] = [.client, .server, .unknown]
  /// How a TIME-WAIT can end.
  static let timeWaitReasons: [Reason] = [.fin, .reused, .timeWaitOverflow, .resetReceived, .unknown]

  private static let size = TCPState.arraySize

  /// By old and new state; 0 is a state that isn't in the table.
  private var transitions = [UInt64](repeating: 0, count: size * size)
  private var stays = [BucketHistogram](repeating: BucketHistogram(.stays), count: size)
  private var staysAtLeast = [UInt64](repeating: 0, count: size)
  private var clientHandshakes = BucketHistogram(.handshakes)
  private var serverHandshakes = BucketHistogram(.handshakes)
  /// By role and reason.
  private var ends = [UInt64](repeating: 0, count: Role.allCases.count * Reason.allCases.count)
  /// By reason.
  private var timeWaitEnds = [UInt64](repeating: 0, count: Reason.allCases.count)
  private var retransmittedSyn: UInt64 = 0
  private var retransmittedSynAck: UInt64 = 0

  package init() {}

  package mutating func receive(_ row: borrowing Transition) {
    if row.isFound { return }
    let old = Self.index(row.old)
    let new = Self.index(row.new)
    transitions[old * Self.size + new] += 1
    if let stay = row.stay, old > 0 {
      stays[old].record(stay.nanoseconds)
      if stay.kind == .atLeast { staysAtLeast[old] += 1 }
      noteHandshake(row.old, row.new, row.role, stay)
    }
    if row.old == .synSent { retransmittedSyn += UInt64(row.retransmits ?? 0) }
    if row.old == .synReceived { retransmittedSynAck += UInt64(row.synAckRetransmits ?? 0) }
    let state = row.new
    guard let reason = row.reason, state == .closed || state == .timeWait else { return }
    if row.old == .timeWait {
      timeWaitEnds[Int(reason.rawValue)] += 1
    } else {
      ends[Int(row.role.rawValue) * Reason.allCases.count + Int(reason.rawValue)] += 1
    }
  }

  private mutating func noteHandshake(_ old: TCPState, _ new: TCPState, _ role: Role, _ stay: Stay) {
    guard new == .established else { return }
    if old == .synSent, role == .client {
      clientHandshakes.record(stay.nanoseconds)
    } else if old == .synReceived, role == .server {
      serverHandshakes.record(stay.nanoseconds)
    }
  }

  private static func index(_ state: TCPState) -> Int { state.isKnown ? Int(state.number) : 0 }

  private static func name(_ index: Int) -> String {
    index == 0 ? "unknown" : TCPState(number: UInt8(index)).name(.openTelemetry)
  }

  /// The transitions that RFC 9293 (figure 5) and the kernel know, which have a series even at zero.
  private static let usual: [(TCPState, TCPState)] = [
    (.closed, .listen), (.closed, .synSent), (.listen, .synReceived), (.listen, .closed),
    (.synSent, .established), (.synSent, .synReceived), (.synSent, .closed),
    (.synReceived, .established), (.synReceived, .finWait1), (.synReceived, .closeWait), (.synReceived, .closed),
    (.established, .finWait1), (.established, .closeWait), (.established, .closed),
    (.finWait1, .finWait2), (.finWait1, .closing), (.finWait1, .timeWait), (.finWait1, .closed),
    (.finWait2, .timeWait), (.finWait2, .closed), (.closeWait, .lastAck), (.closeWait, .closed),
    (.closing, .timeWait), (.closing, .closed), (.lastAck, .closed), (.timeWait, .closed),
  ]

  private static let usualIndices = Set(usual.map { index($0.0) * size + index($0.1) })
  private static let transitionLabels = (0..<size * size).map {
    Labels(["from": name($0 / size), "to": name($0 % size)])
  }
  private static let clientLabels = Labels(["role": Role.client.name.description])
  private static let serverLabels = Labels(["role": Role.server.name.description])
  private static let endLabels = roles.flatMap { role in
    Reason.allCases.map { reason in
      (
        Int(role.rawValue) * Reason.allCases.count + Int(reason.rawValue),
        Labels(["reason": reason.name.description, "role": role.name.description])
      )
    }
  }
  private static let timeWaitLabels = Reason.allCases.map {
    (Int($0.rawValue), Labels(["reason": $0.name.description]))
  }
  private static let isUsualTimeWaitEnd = Reason.allCases.map { timeWaitReasons.contains($0) }
  static let stateLabels = (0..<size).map { Labels(["state": name($0)]) }

  package borrowing func write(to page: inout Exposition) {
    page.begin(MetricFamilies.transitions)
    for index in transitions.indices where transitions[index] > 0 || Self.usualIndices.contains(index) {
      page.add(Self.transitionLabels[index], transitions[index])
    }
    page.begin(MetricFamilies.stays)
    for state in Self.states { page.add(Self.stateLabels[Int(state.number)], stays[Int(state.number)]) }
    page.begin(MetricFamilies.staysAtLeast)
    for state in Self.states { page.add(Self.stateLabels[Int(state.number)], staysAtLeast[Int(state.number)]) }
    page.begin(MetricFamilies.handshakes)
    page.add(Self.clientLabels, clientHandshakes)
    page.add(Self.serverLabels, serverHandshakes)
    page.begin(MetricFamilies.ends)
    for (index, labels) in Self.endLabels { page.add(labels, ends[index]) }
    page.begin(MetricFamilies.timeWaitEnds)
    for (index, labels) in Self.timeWaitLabels where timeWaitEnds[index] > 0 || Self.isUsualTimeWaitEnd[index] {
      page.add(labels, timeWaitEnds[index])
    }
    page.begin(MetricFamilies.retransmittedHandshakes)
    page.add(Labels(["segment": "syn"]), retransmittedSyn)
    page.add(Labels(["segment": "syn-ack"]), retransmittedSynAck)
  }
}
