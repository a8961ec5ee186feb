// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// What a row takes over from an earlier row of the same socket, field by field.
@Suite struct TransitionFillTests {
  /// Fields that describe the transition itself and are never filled. A new field must be filled or listed here.
  private static let own: Set<String> = [
    "time", "timeKind", "timeErrorNanoseconds", "sequence", "connection", "source", "actorPID", "actorName", "old",
    "new", "stay",
  ]
  /// Fields that only `.all` fills.
  private static let readings: Set<String> = [
    "sendUnacknowledged", "unreadBytes", "unacknowledgedBytes", "unsentBytes", "receiveShutdown", "sendWindowBytes",
    "receiveWindowBytes",
    "congestionWindowPackets", "slowStartThresholdPackets", "congestionControl", "rtoMicroseconds", "segmentsSent",
    "segmentsReceived", "socketAddress",
  ]

  private static func full(_ seed: UInt64) -> Transition {
    var random = SeededGenerator(seed: seed)
    return RandomTransition.make(&random, isFull: true)
  }

  /// Two rows that know every field and differ in all of them, except for the states.
  private static let earlier = full(1)
  private static let other =
    (2...1000).lazy.map(full).first { row in
      zip(RandomTransition.fields(row), RandomTransition.fields(earlier)).count { $0 == $1 } == 2
    } ?? Transition()

  private static func name(_ field: String) -> String { String(field.prefix { $0 != ":" }) }

  /// Without this the tests below would prove nothing.
  @Test func samplesKnowEveryField() {
    let (a, b, unknown) = (
      RandomTransition.fields(Self.earlier), RandomTransition.fields(Self.other), RandomTransition.fields(Transition())
    )
    for (first, (second, nothing)) in zip(a, zip(b, unknown)) { #expect(first != nothing && second != nothing) }
    #expect(Self.own.union(Self.readings).isSubset(of: Set(a.map(Self.name))))
  }

  @Test(arguments: [Transition.Filling.lasting, .all])
  func fillsWhatIsUnknown(_ filling: Transition.Filling) {
    var later = Transition()
    later.fill(from: Self.earlier, filling)
    let kept = filling == .all ? Self.own : Self.own.union(Self.readings)
    let (known, unknown) = (RandomTransition.fields(Self.earlier), RandomTransition.fields(Transition()))
    for (field, (from, bare)) in zip(RandomTransition.fields(later), zip(known, unknown)) {
      #expect(field == (kept.contains(Self.name(field)) ? bare : from))
    }
  }

  @Test(arguments: [Transition.Filling.lasting, .all])
  func keepsWhatIsKnown(_ filling: Transition.Filling) {
    var later = Self.other
    later.fill(from: Self.earlier, filling)
    #expect(RandomTransition.fields(later) == RandomTransition.fields(Self.other))
  }

  /// A process's id and name belong together, as do an end's address and port.
  @Test func pairsStayTogether() {
    let earlier = Self.earlier
    var later = Transition()
    later.ownerName = ShortName("nameless")
    later.local.address = IPAddress(v4: 1)
    later.peer.address = IPAddress(v4: 2)
    later.fill(from: earlier)
    #expect(later.ownerPID == earlier.ownerPID && later.ownerName == earlier.ownerName)
    #expect(later.ownerKind == earlier.ownerKind)
    #expect(later.local == earlier.local && later.peer == earlier.peer)
    later = Transition()
    later.ownerPID = 7
    later.local.port = 80
    later.peer.port = 443
    later.fill(from: earlier)
    #expect(later.ownerPID == 7 && later.ownerName.isEmpty && later.ownerKind == nil)
    #expect(later.local == Endpoint(address: .unspecified, port: 80))
    #expect(later.peer == Endpoint(address: .unspecified, port: 443))
  }
}
