// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Rows with random values, and a way to compare them.
public enum RandomTransition {
  /// - Parameter isFull: whether every field is known; otherwise each that may be unknown is, half of the time.
  public static func make(_ random: inout some RandomNumberGenerator, isFull: Bool = false) -> Transition {
    func maybe<Value>(_ make: () -> Value) -> Value? {
      isFull || Bool.random(using: &random) ? make() : nil
    }
    var row = Transition()
    row.time = .random(in: 0...UInt64.max >> 1, using: &random)
    row.sequence = number(&random)
    row.connection = number(&random)
    row.role = (isFull ? [.client, .server, .listener] : Role.allCases).randomElement(using: &random) ?? .client
    row.closer = maybe { Closer.allCases.randomElement(using: &random) ?? .both }
    row.reason = maybe { Reason.allCases.randomElement(using: &random) ?? .fin }
    row.resetReason = maybe { ResetReason.allCases.randomElement(using: &random) ?? .error }
    row.source =
      (isFull ? [.snapshot, .derived] : [.event, .snapshot, .derived]).randomElement(using: &random) ?? .derived
    row.ownerPID = maybe { .random(in: 0 ... .max, using: &random) }
    row.ownerName = name(&random, isFull)
    row.ownerKind = maybe { OwnerKind.allCases.randomElement(using: &random) ?? .holder }
    row.actorPID = maybe { .random(in: 0 ... .max, using: &random) }
    row.actorName = name(&random, isFull)
    row.userID = maybe { .random(in: 0 ... .max, using: &random) }
    row.cgroup = maybe { number(&random) }
    row.workload = workload(&random, isFull)
    row.netns = maybe { .random(in: 0 ... .max, using: &random) }
    row.interface = maybe { .random(in: 0 ... .max, using: &random) }
    row.local = endpoint(&random, isFull)
    row.peer = endpoint(&random, isFull)
    row.old = isFull ? .established : TCPState(number: .random(in: 0 ... .max, using: &random))
    row.new = isFull ? .closeWait : TCPState(number: .random(in: 0...12, using: &random))
    row.stay = maybe { Stay(nanoseconds: number(&random), kind: Bool.random(using: &random) ? .exact : .atLeast) }
    row.bytesSent = maybe { number(&random) }
    row.bytesReceived = maybe { number(&random) }
    row.rtoMicroseconds = maybe { number(&random) }
    row.congestionControl = name(&random, isFull)
    row.timeKind = maybe { TimeKind.allCases.randomElement(using: &random) ?? .exact }
    row.timeErrorNanoseconds = maybe { number(&random) }
    row.finCall = maybe { Bool.random(using: &random) ? .close : .shutdown }
    row.socketAddress = maybe { number(&random) }
    for field in small { row[keyPath: field] = maybe { .random(in: 0 ... .max, using: &random) } }
    return row
  }

  private nonisolated(unsafe) static let small: [WritableKeyPath<Transition, UInt32?>] = [
    \.rttMicroseconds, \.retransmits, \.initialSendSequence, \.initialReceiveSequence, \.sendUnacknowledged,
    \.sendNext, \.receiveNext, \.unreadBytes, \.unacknowledgedBytes, \.unsentBytes, \.receiveShutdown,
    \.sendWindowBytes,
    \.receiveWindowBytes,
    \.congestionWindowPackets, \.slowStartThresholdPackets, \.synAckRetransmits, \.segmentsSent, \.segmentsReceived,
  ]

  /// Every field as `name: value`, for comparisons.
  public static func fields(_ row: Transition) -> [String] {
    Mirror(reflecting: row).children.map { "\($0.label ?? ""): \($0.value)" }
  }

  /// Of any length in bits.
  private static func number(_ random: inout some RandomNumberGenerator) -> UInt64 {
    UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0...63, using: &random)
  }

  private static func name(_ random: inout some RandomNumberGenerator, _ isFull: Bool) -> ShortName {
    let alphabet: [Unicode.Scalar] = [
      "a", "Z", "0", ",", "\"", "\n", "\r", "\\", "'", "=", " ", "é", "日", "\u{1b}", "\t",
    ]
    var text = ""
    for _ in 0..<Int.random(in: (isFull ? 1 : 0)...12, using: &random) {
      guard let scalar = alphabet.randomElement(using: &random),
        text.utf8.count + UTF8.width(scalar) <= 15
      else { break }
      text.unicodeScalars.append(scalar)
    }
    return ShortName(text)
  }

  /// From few texts, which are kept for good.
  private static func workload(_ random: inout some RandomNumberGenerator, _ isFull: Bool) -> Workload {
    var workload = Workload()
    for part: WritableKeyPath<Workload, InternedText> in [
      \.containerID, \.containerName, \.podName, \.podNamespace, \.unit,
    ] where isFull || Bool.random(using: &random) {
      let texts = [
        "web", "nginx.service", "dev-\\x2d.mount", "a,\"b\"", "\u{1b}[31m\n", "=é日", String(repeating: "ü", count: 99),
      ]
      workload[keyPath: part] = InternedText(texts.randomElement(using: &random) ?? "web")
    }
    return workload
  }

  /// A known address is never `::`, which outputs write as unknown.
  private static func endpoint(_ random: inout some RandomNumberGenerator, _ isFull: Bool) -> Endpoint {
    let address =
      switch Int.random(in: 0...(isFull ? 1 : 2), using: &random) {
      case 0: IPAddress(v4: .random(in: 1 ... .max, using: &random))
      case 1: IPAddress(high: .random(in: 1 ... .max, using: &random), low: number(&random))
      default: IPAddress.unspecified
      }
    return Endpoint(address: address, port: .random(in: (isFull ? 1 : 0)...(.max), using: &random))
  }
}
