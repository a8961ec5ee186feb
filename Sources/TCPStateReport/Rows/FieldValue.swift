import TCPStateCore

/// What one column says about one transition, before it is text.
enum FieldValue {
  case unknown
  /// At most 53 bits that count: a number in JSON too.
  case number(UInt64)
  /// 64 bits: JSON readers would round it, so there it is a string.
  case wideNumber(UInt64)
  /// Sixteen hexadecimal digits.
  case identifier(UInt64)
  /// Hexadecimal digits.
  case pointer(UInt64)
  case word(Word)
  /// A word of any length, of ours.
  case text(StaticString)
  /// Not empty.
  case name(ShortName)
  case address(IPAddress)
  /// Nanoseconds since the epoch, as RFC 3339.
  case time(UInt64)
  /// Nanoseconds since the epoch, as a number of 64 bits.
  case unixNano(UInt64)

  @inline(__always)
  init(_ number: UInt32?) {
    self = if let number { .number(UInt64(number)) } else { .unknown }
  }

  @inline(__always)
  init(wide number: UInt64?) {
    self = if let number { .wideNumber(number) } else { .unknown }
  }

  @inline(__always)
  init(_ name: ShortName) {
    self = name.isEmpty ? .unknown : .name(name)
  }

  @inline(__always)
  init(port: UInt16) {
    self = port == 0 ? .unknown : .number(UInt64(port))
  }
}

/// The machine words that columns need, fetched once by each writer.
///
/// Sendable, for the memory that its pointers lead to never changes.
struct FieldWords: @unchecked Sendable {
  let states = MachineWords.states
  /// The state that a word can only be, by `slot(of:)`.
  let stateNumbers = MachineWords.stateNumbers
  let roles = MachineWords.roles
  let closers = MachineWords.closers
  let reasons = MachineWords.reasons
  let durationKinds = MachineWords.durationKinds
  let sources = MachineWords.sources
  let ipv4 = Word("ipv4")
  let ipv6 = Word("ipv6")
  let octets = AddressText.octets

  /// One of 64; no two states share one.
  @inline(__always)
  static func slot(of word: Word) -> Int {
    Int(truncatingIfNeeded: ((word.first ^ word.second) &* MachineWords.stateMultiplier) >> 58)
  }
}

extension Column {
  /// The column's value; the one place that says which field a column shows.
  @inline(__always)
  func value(of row: Transition, _ words: FieldWords) -> FieldValue {
    switch self {
    case .timestamp: row.hasTime ? .time(row.time) : .unknown
    case .timestampUnixNano: row.hasTime ? .unixNano(row.time) : .unknown
    case .sequence: .wideNumber(row.sequence)
    case .connectionID: .identifier(row.connection)
    case .role: .word(words.roles[Int(row.role.rawValue)])
    case .processPID: FieldValue(row.ownerPID)
    case .processName: FieldValue(row.ownerName)
    case .userID: FieldValue(row.userID)
    case .cgroupID: FieldValue(wide: row.cgroup)
    case .netns: FieldValue(row.netns)
    case .networkType: .word(row.isIPv4 ? words.ipv4 : words.ipv6)
    case .localAddress: .address(row.local.address)
    case .localPort: FieldValue(port: row.local.port)
    case .peerAddress: row.peer.address.isUnspecified ? .unknown : .address(row.peer.address)
    case .peerPort: FieldValue(port: row.peer.port)
    case .stateOld: .word(words.states[Int(row.old.number)])
    case .stateNew: .word(words.states[Int(row.new.number)])
    case .stateDuration: FieldValue(wide: row.stay?.nanoseconds)
    case .durationKind:
      if let stay = row.stay { .word(words.durationKinds[Int(stay.kind.rawValue)]) } else { .unknown }
    case .source: .word(words.sources[Int(row.source.rawValue)])
    case .actorPID: FieldValue(row.actorPID)
    case .actorName: FieldValue(row.actorName)
    case .reason:
      if let reason = row.reason { .word(words.reasons[Int(reason.rawValue)]) } else { .unknown }
    case .bytesSent: FieldValue(wide: row.bytesSent)
    case .bytesReceived: FieldValue(wide: row.bytesReceived)
    case .rtt: FieldValue(row.rttMicroseconds)
    case .retransmits: FieldValue(row.retransmits)
    case .closer:
      if let closer = row.closer { .word(words.closers[Int(closer.rawValue)]) } else { .unknown }
    case .initialSendSequence: FieldValue(row.initialSendSequence)
    case .initialReceiveSequence: FieldValue(row.initialReceiveSequence)
    case .sendUnacknowledged: FieldValue(row.sendUnacknowledged)
    case .sendNext: FieldValue(row.sendNext)
    case .receiveNext: FieldValue(row.receiveNext)
    case .unreadBytes: FieldValue(row.unreadBytes)
    case .unacknowledgedBytes: FieldValue(row.unacknowledgedBytes)
    case .sendWindow: FieldValue(row.sendWindowBytes)
    case .receiveWindow: FieldValue(row.receiveWindowBytes)
    case .congestionWindow: FieldValue(row.congestionWindowPackets)
    case .slowStartThreshold: FieldValue(row.slowStartThresholdPackets)
    case .congestionControl: FieldValue(row.congestionControl)
    case .rto: FieldValue(wide: row.rtoMicroseconds)
    case .synAckRetransmits: FieldValue(row.synAckRetransmits)
    case .segmentsSent: FieldValue(row.segmentsSent)
    case .segmentsReceived: FieldValue(row.segmentsReceived)
    case .socketAddress:
      if let address = row.socketAddress { .pointer(address) } else { .unknown }
    case .interfaceIndex: FieldValue(row.interface)
    case .resetReason: if let reason = row.resetReason { .text(reason.name) } else { .unknown }
    }
  }
}
