import TCPStateCore

/// Rows with any values, and a way to compare them.
public enum RandomTransition {
  public static func make(_ random: inout some RandomNumberGenerator) -> Transition {
    var row = Transition()
    row.time = .random(in: 0...UInt64.max >> 1, using: &random)
    row.sequence = number(&random)
    row.connection = number(&random)
    row.role = Role.allCases.randomElement(using: &random) ?? .unknown
    row.closer = maybe(&random) { Closer.allCases.randomElement(using: &$0) ?? .both }
    row.reason = maybe(&random) { Reason.allCases.randomElement(using: &$0) ?? .fin }
    row.source = [Source.event, .snapshot, .derived].randomElement(using: &random) ?? .event
    row.ownerPID = maybe(&random) { .random(in: 0 ... .max, using: &$0) }
    row.ownerName = name(&random)
    row.actorPID = maybe(&random) { .random(in: 0 ... .max, using: &$0) }
    row.actorName = name(&random)
    row.userID = maybe(&random) { .random(in: 0 ... .max, using: &$0) }
    row.cgroup = maybe(&random) { number(&$0) }
    row.netns = maybe(&random) { .random(in: 0 ... .max, using: &$0) }
    row.interface = maybe(&random) { .random(in: 0 ... .max, using: &$0) }
    row.local = endpoint(&random)
    row.peer = endpoint(&random)
    row.old = TCPState(number: .random(in: 0 ... .max, using: &random))
    row.new = TCPState(number: .random(in: 0...12, using: &random))
    row.stay = maybe(&random) { Stay(nanoseconds: number(&$0), kind: Bool.random(using: &$0) ? .exact : .atLeast) }
    row.bytesSent = maybe(&random) { number(&$0) }
    row.bytesReceived = maybe(&random) { number(&$0) }
    row.rtoMicroseconds = maybe(&random) { number(&$0) }
    row.congestionControl = name(&random)
    row.socketAddress = maybe(&random) { number(&$0) }
    for field in small { row[keyPath: field] = maybe(&random) { .random(in: 0 ... .max, using: &$0) } }
    return row
  }

  private nonisolated(unsafe) static let small: [WritableKeyPath<Transition, UInt32?>] = [
    \.rttMicroseconds, \.retransmits, \.initialSendSequence, \.initialReceiveSequence, \.sendUnacknowledged,
    \.sendNext, \.receiveNext, \.unreadBytes, \.unacknowledgedBytes, \.unsentBytes, \.sendWindowBytes,
    \.receiveWindowBytes,
    \.congestionWindowPackets, \.slowStartThresholdPackets, \.synAckRetransmits, \.segmentsSent, \.segmentsReceived,
  ]

  /// Every field as text, to be compared.
  public static func fields(_ row: Transition) -> [String] {
    Mirror(reflecting: row).children.map { "\($0.label ?? ""): \($0.value)" }
  }

  private static func maybe<Value, Random: RandomNumberGenerator>(
    _ random: inout Random, _ make: (inout Random) -> Value
  ) -> Value? {
    Bool.random(using: &random) ? make(&random) : nil
  }

  /// Of any length.
  private static func number(_ random: inout some RandomNumberGenerator) -> UInt64 {
    UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0...63, using: &random)
  }

  private static func name(_ random: inout some RandomNumberGenerator) -> ShortName {
    let alphabet: [Unicode.Scalar] = [
      "a", "Z", "0", ",", "\"", "\n", "\r", "\\", "'", "=", " ", "é", "日", "\u{1b}", "\t",
    ]
    var text = ""
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      guard let scalar = alphabet.randomElement(using: &random),
        text.utf8.count + UTF8.width(scalar) <= 15
      else { break }
      text.unicodeScalars.append(scalar)
    }
    return ShortName(text)
  }

  /// Never `::` as a peer that is known: that is written as unknown.
  private static func endpoint(_ random: inout some RandomNumberGenerator) -> Endpoint {
    let address =
      switch Int.random(in: 0...2, using: &random) {
      case 0: IPAddress(v4: .random(in: 1 ... .max, using: &random))
      case 1: IPAddress(high: .random(in: 1 ... .max, using: &random), low: number(&random))
      default: IPAddress.unspecified
      }
    return Endpoint(address: address, port: .random(in: 0 ... .max, using: &random))
  }
}
