import TCPStateCore

/// The one place that says into which field a column's cell goes.
///
/// Nothing here changes the reader; all is `mutating` so that the compiler
/// passes it by its address, where it would else copy it for each cell.
extension TransitionReader {
  /// Reads an unquoted, non-empty cell.
  ///
  /// - Returns: false if it isn't a value of the column's kind.
  @inline(__always)
  mutating func read(_ column: Column, _ cell: Cell, to row: inout Transition) -> Bool {
    switch column {
    case .timestamp: return readTime(cell, &row)
    case .timestampUnixNano: return number(cell, &row.time)
    case .sequence: return number(cell, &row.sequence)
    case .connectionID:
      guard let id = cell.hex else { return false }
      row.connection = id
    case .role:
      guard let raw = index(cell, words.roles, Role.allCases.count), let role = Role(rawValue: raw)
      else { return false }
      row.role = role
    case .processPID: return number(cell, &row.ownerPID)
    case .processName: return name(cell, &row.ownerName)
    case .userID: return number(cell, &row.userID)
    case .cgroupID: return number(cell, &row.cgroup)
    case .netns: return number(cell, &row.netns)
    case .networkType:
      guard let word = cell.word else { return false }
      return word.matches(words.ipv4) || word.matches(words.ipv6)  // the addresses say it too
    case .localAddress: return address(cell, &row.local.address)
    case .localPort: return port(cell, &row.local.port)
    case .peerAddress: return address(cell, &row.peer.address)
    case .peerPort: return port(cell, &row.peer.port)
    case .stateOld: return state(cell, &row.old)
    case .stateNew: return state(cell, &row.new)
    case .stateDuration:
      guard let nanoseconds = cell.number else { return false }
      row.stay = Stay(nanoseconds: nanoseconds, kind: row.stay?.kind ?? .exact)
      hasDuration = true
    case .durationKind:
      guard let raw = index(cell, words.durationKinds, 2), let kind = DurationKind(rawValue: raw)
      else { return false }
      row.stay = Stay(nanoseconds: row.stay?.nanoseconds ?? 0, kind: kind)
    case .source:
      guard let raw = index(cell, words.sources, 3), let source = Source(rawValue: raw) else { return false }
      row.source = source
    case .actorPID: return number(cell, &row.actorPID)
    case .actorName: return name(cell, &row.actorName)
    case .reason:
      guard let raw = index(cell, words.reasons, Reason.allCases.count), let reason = Reason(rawValue: raw)
      else { return false }
      row.reason = reason
    case .bytesSent: return number(cell, &row.bytesSent)
    case .bytesReceived: return number(cell, &row.bytesReceived)
    case .rtt: return number(cell, &row.rttMicroseconds)
    case .retransmits: return number(cell, &row.retransmits)
    default: return readExtra(column, cell, to: &row)
    }
    return true
  }

  private mutating func readExtra(_ column: Column, _ cell: Cell, to row: inout Transition) -> Bool {
    switch column {
    case .closer:
      guard let raw = index(cell, words.closers, Closer.allCases.count), let closer = Closer(rawValue: raw)
      else { return false }
      row.closer = closer
      return true
    case .initialSendSequence: return number(cell, &row.initialSendSequence)
    case .initialReceiveSequence: return number(cell, &row.initialReceiveSequence)
    case .sendUnacknowledged: return number(cell, &row.sendUnacknowledged)
    case .sendNext: return number(cell, &row.sendNext)
    case .receiveNext: return number(cell, &row.receiveNext)
    case .unreadBytes: return number(cell, &row.unreadBytes)
    case .unacknowledgedBytes: return number(cell, &row.unacknowledgedBytes)
    case .sendWindow: return number(cell, &row.sendWindowBytes)
    case .receiveWindow: return number(cell, &row.receiveWindowBytes)
    case .congestionWindow: return number(cell, &row.congestionWindowPackets)
    case .slowStartThreshold: return number(cell, &row.slowStartThresholdPackets)
    case .congestionControl: return name(cell, &row.congestionControl)
    case .rto: return number(cell, &row.rtoMicroseconds)
    case .synAckRetransmits: return number(cell, &row.synAckRetransmits)
    case .segmentsSent: return number(cell, &row.segmentsSent)
    case .segmentsReceived: return number(cell, &row.segmentsReceived)
    case .socketAddress:
      guard let address = cell.hex else { return false }
      row.socketAddress = address
      return true
    case .interfaceIndex: return number(cell, &row.interface)
    case .resetReason:
      // A kernel after this program may have others.
      row.resetReason = ResetReason(name: String(decoding: cell.bytes, as: UTF8.self))
      return true
    default: return false
    }
  }

  // MARK: - Kinds of cells

  @inline(__always)
  private mutating func number(_ cell: Cell, _ field: inout UInt64) -> Bool {
    guard let number = cell.number else { return false }
    field = number
    return true
  }

  @inline(__always)
  private mutating func number(_ cell: Cell, _ field: inout UInt64?) -> Bool {
    field = cell.number
    return field != nil
  }

  @inline(__always)
  private mutating func number(_ cell: Cell, _ field: inout UInt32?) -> Bool {
    field = cell.number.flatMap { UInt32(exactly: $0) }
    return field != nil
  }

  @inline(__always)
  private mutating func port(_ cell: Cell, _ field: inout UInt16) -> Bool {
    guard let number = cell.number, let port = UInt16(exactly: number) else { return false }
    field = port
    return true
  }

  @inline(__always)
  private mutating func name(_ cell: Cell, _ field: inout ShortName) -> Bool {
    if !nullText.isEmpty, cell.bytes.elementsEqual(nullText) {
      field = ShortName()
    } else if let word = cell.word {
      field.storage = (word.first, word.second)
    } else {
      // Longer than the kernel's.
      field = ShortName(bytes: cell.bytes)
    }
    return true
  }

  @inline(__always)
  private mutating func address(_ cell: Cell, _ field: inout IPAddress) -> Bool {
    guard let address = cell.v4.map({ IPAddress(v4: $0) }) ?? IPAddress(parsing: cell.text) else { return false }
    field = address
    return true
  }

  @inline(__always)
  private mutating func state(_ cell: Cell, _ field: inout TCPState) -> Bool {
    if let word = cell.word {
      let number = words.stateNumbers[FieldWords.slot(of: word)]
      if word.matches(words.states[Int(number)]) {
        field = TCPState(number: number)
        return true
      }
    }
    guard let state = TCPState(parsing: cell.text) else { return false }
    field = state
    return true
  }

  /// Reads RFC 3339 in UTC, unless the same time comes as a number too.
  private mutating func readTime(_ cell: Cell, _ row: inout Transition) -> Bool {
    if hasUnixNano { return true }
    guard let time = Self.time(cell) else { return false }
    row.time = time
    return true
  }

  /// `2026-11-23T21:12:03Z`, with up to nine digits of a fraction: nanoseconds since the epoch.
  private static func time(_ cell: Cell) -> UInt64? {
    func part(_ place: Int, _ digits: Int, _ separator: Unicode.Scalar) -> UInt64? {
      guard cell.start[place + digits] == UInt8(ascii: separator) else { return nil }
      return Cell(cell.start + place, count: digits).number
    }
    guard cell.count >= 20, cell.start[cell.count - 1] == UInt8(ascii: "Z"),
      let year = part(0, 4, "-"), let month = part(5, 2, "-"), let day = part(8, 2, "T"),
      let hour = part(11, 2, ":"), let minute = part(14, 2, ":"), let second = Cell(cell.start + 17, count: 2).number,
      let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 61
    else { return nil }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second
    guard seconds < UInt64.max / 1_000_000_000 else { return nil }  // 64 bits of nanoseconds end in 2554
    let whole = seconds * 1_000_000_000
    if cell.count == 20 { return whole }
    let digits = cell.count - 21
    guard cell.start[19] == UInt8(ascii: "."), (1...9).contains(digits),
      var fraction = Cell(cell.start + 20, count: digits).number
    else { return nil }
    for _ in digits..<9 { fraction *= 10 }
    return whole + fraction
  }

  /// The place of a word in one of the tables, which is its raw value.
  @inline(__always)
  private mutating func index(_ cell: Cell, _ table: UnsafePointer<Word>, _ count: Int) -> UInt8? {
    guard let word = cell.word else { return longIndex(cell, table) }
    for index in 0..<count where word.matches(table[index]) { return UInt8(truncatingIfNeeded: index) }
    return nil
  }

  /// One reason is longer than a word holds.
  private mutating func longIndex(_ cell: Cell, _ table: UnsafePointer<Word>) -> UInt8? {
    let reason = Reason.timeWaitOverflow
    return table == words.reasons && cell.text == reason.name.description ? reason.rawValue : nil
  }
}

extension Word {
  @inline(__always)
  func matches(_ other: Word) -> Bool { first == other.first && second == other.second && count == other.count }
}
