// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// From a cell to a field of a transition, by the form in which it is stored.
///
/// Nothing here changes the reader; all is `mutating` so that the compiler
/// passes it by its address, where it would otherwise copy it for each cell.
extension TransitionReader {
  /// Reads an unquoted, non-empty cell.
  ///
  /// - Returns: false if the cell isn't a value of the field's form.
  @inline(__always)
  mutating func read(_ field: StoredField, _ cell: Cell, to row: UnsafeMutablePointer<Transition>) -> Bool {
    switch field.form {
    case .time: readTime(cell, field.place(in: row))
    case .unixNano, .ordinal: number(cell, field.place(in: row) as UnsafeMutablePointer<UInt64>)
    case .identifier: identifier(cell, field.place(in: row))
    case .integer: number(cell, field.place(in: row) as UnsafeMutablePointer<UInt32?>)
    case .wideInteger: number(cell, field.place(in: row) as UnsafeMutablePointer<UInt64?>)
    case .hexadecimal: hexadecimal(cell, field.place(in: row))
    case .name: name(cell, field.place(in: row))
    case .interned: interned(cell, field.place(in: row))
    case .port: port(cell, field.place(in: row))
    case .address, .knownAddress: address(cell, field.place(in: row))
    case .networkType: cell.word.map { $0.matches(words.ipv4) || $0.matches(words.ipv6) } ?? false
    case .state: state(cell, field.place(in: row))
    case .stayLength: stayLength(cell, field.place(in: row))
    case .stayKind: stayKind(cell, field.place(in: row))
    case .source: source(cell, field.place(in: row))
    case .role: role(cell, field.place(in: row))
    case .reason: reason(cell, field.place(in: row))
    case .resetReason: resetReason(cell, field.place(in: row))
    case .closer: closer(cell, field.place(in: row))
    case .timeKind: timeKind(cell, field.place(in: row))
    case .finCall: finCall(cell, field.place(in: row))
    case .ownerKind: ownerKind(cell, field.place(in: row))
    case .absent: false
    }
  }

  // MARK: - Forms

  @inline(__always)
  private mutating func number(_ cell: Cell, _ field: UnsafeMutablePointer<UInt64>) -> Bool {
    guard let number = cell.number else { return false }
    field.pointee = number
    return true
  }

  @inline(__always)
  private mutating func number(_ cell: Cell, _ field: UnsafeMutablePointer<UInt64?>) -> Bool {
    field.pointee = cell.number
    return field.pointee != nil
  }

  @inline(__always)
  private mutating func number(_ cell: Cell, _ field: UnsafeMutablePointer<UInt32?>) -> Bool {
    field.pointee = cell.number.flatMap { UInt32(exactly: $0) }
    return field.pointee != nil
  }

  @inline(__always)
  private mutating func identifier(_ cell: Cell, _ field: UnsafeMutablePointer<UInt64>) -> Bool {
    guard let number = cell.hex else { return false }
    field.pointee = number
    return true
  }

  @inline(__always)
  private mutating func hexadecimal(_ cell: Cell, _ field: UnsafeMutablePointer<UInt64?>) -> Bool {
    field.pointee = cell.hex
    return field.pointee != nil
  }

  @inline(__always)
  private mutating func port(_ cell: Cell, _ field: UnsafeMutablePointer<UInt16>) -> Bool {
    guard let number = cell.number, let port = UInt16(exactly: number) else { return false }
    field.pointee = port
    return true
  }

  @inline(__always)
  private mutating func name(_ cell: Cell, _ field: UnsafeMutablePointer<ShortName>) -> Bool {
    if !nullText.isEmpty, cell.bytes.elementsEqual(nullText) {
      field.pointee = ShortName()
    } else if let word = cell.word {
      field.pointee.storage = (word.first, word.second)
    } else {
      // Longer than the kernel's names.
      field.pointee = ShortName(bytes: cell.bytes)
    }
    return true
  }

  private mutating func interned(_ cell: Cell, _ field: UnsafeMutablePointer<InternedText>) -> Bool {
    let isNull = !nullText.isEmpty && cell.bytes.elementsEqual(nullText)
    field.pointee = isNull ? InternedText() : InternedText(bytes: cell.bytes)
    return true
  }

  @inline(__always)
  private mutating func address(_ cell: Cell, _ field: UnsafeMutablePointer<IPAddress>) -> Bool {
    guard let address = cell.v4.map({ IPAddress(v4: $0) }) ?? IPAddress(parsing: cell.text) else { return false }
    field.pointee = address
    return true
  }

  @inline(__always)
  private mutating func state(_ cell: Cell, _ field: UnsafeMutablePointer<TCPState>) -> Bool {
    if let word = cell.word {
      let number = words.stateNumbers[FieldWords.slot(of: word)]
      if word.matches(words.states[Int(number)]) {
        field.pointee = TCPState(number: number)
        return true
      }
    }
    guard let state = TCPState(parsing: cell.text) else { return false }
    field.pointee = state
    return true
  }

  @inline(__always)
  private mutating func stayLength(_ cell: Cell, _ field: UnsafeMutablePointer<Stay?>) -> Bool {
    guard let nanoseconds = cell.number else { return false }
    field.pointee = Stay(nanoseconds: nanoseconds, kind: field.pointee?.kind ?? .exact)
    hasDuration = true
    return true
  }

  @inline(__always)
  private mutating func stayKind(_ cell: Cell, _ field: UnsafeMutablePointer<Stay?>) -> Bool {
    guard let raw = index(cell, words.durationKinds, 2), let kind = DurationKind(rawValue: raw) else { return false }
    field.pointee = Stay(nanoseconds: field.pointee?.nanoseconds ?? 0, kind: kind)
    return true
  }

  @inline(__always)
  private mutating func source(_ cell: Cell, _ field: UnsafeMutablePointer<Source>) -> Bool {
    guard let raw = index(cell, words.sources, 3), let source = Source(rawValue: raw) else { return false }
    field.pointee = source
    return true
  }

  @inline(__always)
  private mutating func role(_ cell: Cell, _ field: UnsafeMutablePointer<Role>) -> Bool {
    guard let raw = index(cell, words.roles, Role.allCases.count), let role = Role(rawValue: raw) else { return false }
    field.pointee = role
    return true
  }

  @inline(__always)
  private mutating func reason(_ cell: Cell, _ field: UnsafeMutablePointer<Reason?>) -> Bool {
    field.pointee = index(cell, words.reasons, Reason.allCases.count).flatMap { Reason(rawValue: $0) }
    return field.pointee != nil
  }

  private mutating func resetReason(_ cell: Cell, _ field: UnsafeMutablePointer<ResetReason?>) -> Bool {
    // A newer kernel may have reasons that this program doesn't know.
    field.pointee = ResetReason(name: cell.text)
    return true
  }

  private mutating func closer(_ cell: Cell, _ field: UnsafeMutablePointer<Closer?>) -> Bool {
    field.pointee = index(cell, words.closers, Closer.allCases.count).flatMap { Closer(rawValue: $0) }
    return field.pointee != nil
  }

  private mutating func timeKind(_ cell: Cell, _ field: UnsafeMutablePointer<TimeKind?>) -> Bool {
    field.pointee = index(cell, words.timeKinds, TimeKind.allCases.count).flatMap { TimeKind(rawValue: $0) }
    return field.pointee != nil
  }

  private mutating func finCall(_ cell: Cell, _ field: UnsafeMutablePointer<FinCall?>) -> Bool {
    field.pointee = index(cell, words.finCalls, FinCall.allCases.count).flatMap { FinCall(rawValue: $0) }
    return field.pointee != nil
  }

  private mutating func ownerKind(_ cell: Cell, _ field: UnsafeMutablePointer<OwnerKind?>) -> Bool {
    field.pointee = index(cell, words.ownerKinds, OwnerKind.allCases.count).flatMap { OwnerKind(rawValue: $0) }
    return field.pointee != nil
  }

  /// Reads RFC 3339 in UTC, unless the row has the same time as a number too.
  private mutating func readTime(_ cell: Cell, _ field: UnsafeMutablePointer<UInt64>) -> Bool {
    if hasUnixNano { return true }
    guard let time = Self.time(cell) else { return false }
    field.pointee = time
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

  /// The index of a word in one of the tables, which is its raw value.
  @inline(__always)
  private mutating func index(_ cell: Cell, _ table: UnsafePointer<Word>, _ count: Int) -> UInt8? {
    guard let word = cell.word else { return nil }
    for index in 0..<count where word.matches(table[index]) { return UInt8(truncatingIfNeeded: index) }
    return nil
  }
}

extension StoredField {
  /// Stores a name, if the field is one.
  ///
  /// - Parameter bytes: at least 16, of which `count` count; a process's name ends at the first NUL.
  @inline(__always)
  func setName(_ bytes: UnsafePointer<UInt8>, count: Int, in row: UnsafeMutablePointer<Transition>) -> Bool {
    switch form {
    case .name: (place(in: row) as UnsafeMutablePointer<ShortName>).pointee = ShortName(padded: bytes)
    case .interned:
      let text = InternedText(bytes: UnsafeBufferPointer(start: bytes, count: count))
      (place(in: row) as UnsafeMutablePointer<InternedText>).pointee = text
    default: return false
    }
    return true
  }

  /// Safe because the offset is that of a field of this type: every form has one type.
  @inline(__always)
  fileprivate func place<Value: BitwiseCopyable>(in row: UnsafeMutablePointer<Transition>) -> UnsafeMutablePointer<
    Value
  > {
    (UnsafeMutableRawPointer(row) + Int(offset)).assumingMemoryBound(to: Value.self)
  }
}

extension Word {
  @inline(__always)
  func matches(_ other: Word) -> Bool { first == other.first && second == other.second && count == other.count }
}
