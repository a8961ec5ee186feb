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
  mutating func read(_ column: Column, _ cursor: inout CellCursor, to row: inout Transition) -> Bool {
    switch column {
    case .timestamp: return readTime(&cursor, &row)
    case .timestampUnixNano: return number(&cursor, &row.time)
    case .sequence: return number(&cursor, &row.sequence)
    case .connectionID:
      guard let id = cursor.hex16() ?? cursor.hex() else { return false }
      row.connection = id
    case .role:
      guard let raw = index(&cursor, words.roles, Role.allCases.count), let role = Role(rawValue: raw)
      else { return false }
      row.role = role
    case .processPID: return number(&cursor, &row.ownerPID)
    case .processName: return name(&cursor, &row.ownerName)
    case .userID: return number(&cursor, &row.userID)
    case .cgroupID: return number(&cursor, &row.cgroup)
    case .netns: return number(&cursor, &row.netns)
    case .networkType:
      guard let word = cursor.word() else { return false }
      return word.matches(words.ipv4) || word.matches(words.ipv6)  // the addresses say it too
    case .localAddress: return address(&cursor, &row.local.address)
    case .localPort: return port(&cursor, &row.local.port)
    case .peerAddress: return address(&cursor, &row.peer.address)
    case .peerPort: return port(&cursor, &row.peer.port)
    case .stateOld: return state(&cursor, &row.old)
    case .stateNew: return state(&cursor, &row.new)
    case .stateDuration:
      guard let nanoseconds = cursor.number() else { return false }
      row.stay = Stay(nanoseconds: nanoseconds, kind: row.stay?.kind ?? .exact)
    case .durationKind:
      guard let raw = index(&cursor, words.durationKinds, 2), let kind = DurationKind(rawValue: raw)
      else { return false }
      row.stay = Stay(nanoseconds: row.stay?.nanoseconds ?? 0, kind: kind)
    case .source:
      guard let raw = index(&cursor, words.sources, 3), let source = Source(rawValue: raw) else { return false }
      row.source = source
    case .actorPID: return number(&cursor, &row.actorPID)
    case .actorName: return name(&cursor, &row.actorName)
    case .reason:
      guard let raw = index(&cursor, words.reasons, Reason.allCases.count), let reason = Reason(rawValue: raw)
      else { return false }
      row.reason = reason
    case .bytesSent: return number(&cursor, &row.bytesSent)
    case .bytesReceived: return number(&cursor, &row.bytesReceived)
    case .rtt: return number(&cursor, &row.rttMicroseconds)
    case .retransmits: return number(&cursor, &row.retransmits)
    default: return readExtra(column, &cursor, to: &row)
    }
    return true
  }

  private mutating func readExtra(_ column: Column, _ cursor: inout CellCursor, to row: inout Transition) -> Bool {
    switch column {
    case .closer:
      guard let raw = index(&cursor, words.closers, Closer.allCases.count), let closer = Closer(rawValue: raw)
      else { return false }
      row.closer = closer
      return true
    case .initialSendSequence: return number(&cursor, &row.initialSendSequence)
    case .initialReceiveSequence: return number(&cursor, &row.initialReceiveSequence)
    case .sendUnacknowledged: return number(&cursor, &row.sendUnacknowledged)
    case .sendNext: return number(&cursor, &row.sendNext)
    case .receiveNext: return number(&cursor, &row.receiveNext)
    case .unreadBytes: return number(&cursor, &row.unreadBytes)
    case .unacknowledgedBytes: return number(&cursor, &row.unacknowledgedBytes)
    case .sendWindow: return number(&cursor, &row.sendWindowBytes)
    case .receiveWindow: return number(&cursor, &row.receiveWindowBytes)
    case .congestionWindow: return number(&cursor, &row.congestionWindowPackets)
    case .slowStartThreshold: return number(&cursor, &row.slowStartThresholdPackets)
    case .congestionControl: return name(&cursor, &row.congestionControl)
    case .rto: return number(&cursor, &row.rtoMicroseconds)
    case .synAckRetransmits: return number(&cursor, &row.synAckRetransmits)
    case .segmentsSent: return number(&cursor, &row.segmentsSent)
    case .segmentsReceived: return number(&cursor, &row.segmentsReceived)
    case .socketAddress:
      guard let address = cursor.hex() else { return false }
      row.socketAddress = address
      return true
    case .interfaceIndex: return number(&cursor, &row.interface)
    default: return false
    }
  }

  // MARK: - Kinds of cells

  @inline(__always)
  private mutating func number(_ cursor: inout CellCursor, _ field: inout UInt64) -> Bool {
    guard let number = cursor.number() else { return false }
    field = number
    return true
  }

  @inline(__always)
  private mutating func number(_ cursor: inout CellCursor, _ field: inout UInt64?) -> Bool {
    field = cursor.number()
    return field != nil
  }

  @inline(__always)
  private mutating func number(_ cursor: inout CellCursor, _ field: inout UInt32?) -> Bool {
    field = cursor.number().flatMap { UInt32(exactly: $0) }
    return field != nil
  }

  @inline(__always)
  private mutating func port(_ cursor: inout CellCursor, _ field: inout UInt16) -> Bool {
    guard let number = cursor.number(), let port = UInt16(exactly: number) else { return false }
    field = port
    return true
  }

  @inline(__always)
  private mutating func name(_ cursor: inout CellCursor, _ field: inout ShortName) -> Bool {
    let start = cursor.next
    if let word = cursor.word() {
      field = ShortName()
      if !nullText.isEmpty, word.count == nullText.count, nullText.elementsEqual((0..<word.count).map { start[$0] }) {
        return true
      }
      field.storage = (word.first, word.second)
      return true
    }
    cursor.next = start
    cursor.skip()
    // Longer than the kernel's, or with a control character in it.
    field = ShortName(bytes: UnsafeBufferPointer(start: start, count: cursor.next - start))
    return true
  }

  @inline(__always)
  private mutating func address(_ cursor: inout CellCursor, _ field: inout IPAddress) -> Bool {
    let start = cursor.next
    if let number = cursor.v4(), cursor.isAtEnd {
      field = IPAddress(v4: number)
      return true
    }
    cursor.next = start
    cursor.skip()
    let text = String(decoding: UnsafeBufferPointer(start: start, count: cursor.next - start), as: UTF8.self)
    guard let address = IPAddress(parsing: text) else { return false }
    field = address
    return true
  }

  @inline(__always)
  private mutating func state(_ cursor: inout CellCursor, _ field: inout TCPState) -> Bool {
    let start = cursor.next
    if let word = cursor.word() {
      let number = words.stateNumbers[FieldWords.slot(of: word)]
      if word.matches(words.states[Int(number)]) {
        field = TCPState(number: number)
        return true
      }
    }
    cursor.next = start
    cursor.skip()
    let text = String(decoding: UnsafeBufferPointer(start: start, count: cursor.next - start), as: UTF8.self)
    guard let state = TCPState(parsing: text) else { return false }
    field = state
    return true
  }

  /// Reads RFC 3339 in UTC, unless the same time comes as a number too.
  private mutating func readTime(_ cursor: inout CellCursor, _ row: inout Transition) -> Bool {
    if hasUnixNano {
      cursor.skip()
      return true
    }
    func part(_ digits: Int, _ end: UInt8) -> UInt64? {
      let start = cursor.next
      guard let number = cursor.number(), cursor.next - start == digits, cursor.byte == end else { return nil }
      cursor.next += 1
      return number
    }
    guard let year = part(4, 45), let month = part(2, 45), let day = part(2, 84),
      let hour = part(2, 58), let minute = part(2, 58), let second = cursor.number(),
      let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 61
    else { return false }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second
    guard seconds < UInt64.max / 1_000_000_000 else { return false }  // 64 bits of nanoseconds end in 2554
    row.time = seconds * 1_000_000_000
    let point = cursor.byte
    cursor.next += 1
    guard point == UInt8(ascii: ".") else { return point == UInt8(ascii: "Z") }
    let start = cursor.next
    guard var fraction = cursor.number(), cursor.next - start <= 9, cursor.byte == UInt8(ascii: "Z") else {
      return false
    }
    for _ in (cursor.next - start)..<9 { fraction *= 10 }
    cursor.next += 1
    row.time += fraction
    return true
  }

  /// The place of a word in one of the tables, which is its raw value.
  @inline(__always)
  private mutating func index(_ cursor: inout CellCursor, _ table: UnsafePointer<Word>, _ count: Int) -> UInt8? {
    guard let word = cursor.word() else { return longIndex(&cursor, table, count) }
    for index in 0..<count where word.matches(table[index]) { return UInt8(truncatingIfNeeded: index) }
    return longIndex(&cursor, table, count)
  }

  /// `overflow` is longer than a word holds; the table has its beginning.
  private mutating func longIndex(_ cursor: inout CellCursor, _ table: UnsafePointer<Word>, _ count: Int) -> UInt8? {
    guard table == words.reasons, !cursor.isAtEnd else { return nil }
    let rest = cursor.next
    cursor.skip()
    guard UnsafeBufferPointer(start: rest, count: cursor.next - rest).elementsEqual("ow".utf8) else { return nil }
    return Reason.timeWaitOverflow.rawValue
  }
}

extension Word {
  @inline(__always)
  func matches(_ other: Word) -> Bool { first == other.first && second == other.second && count == other.count }
}
