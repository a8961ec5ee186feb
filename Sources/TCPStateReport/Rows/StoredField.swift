// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Where a `Transition` stores what a column shows, and in which form: writers and the reader need no more.
///
/// A form and an offset instead of a closure or a key path for each column, because these are called once
/// for every cell.
struct StoredField: BitwiseCopyable, Sendable {
  enum Form: UInt8 {
    case time, unixNano, ordinal, identifier, integer, wideInteger, hexadecimal, name, interned, port
    case address, knownAddress, networkType
    case state, stayLength, stayKind, source, role, reason, resetReason, closer, timeKind, finCall, ownerKind
    /// Not stored: never written, and never taken when read.
    case absent
  }

  let form: Form
  /// Of the field, in bytes, from the beginning of a `Transition`.
  let offset: UInt16

  private init(_ form: Form, _ path: PartialKeyPath<Transition>) {
    let offset = MemoryLayout<Transition>.offset(of: path).flatMap { UInt16(exactly: $0) }
    self.form = offset == nil ? .absent : form
    self.offset = offset ?? 0
  }
}

extension StoredField {
  /// Nanoseconds since the epoch, as RFC 3339; 0 is unknown.
  static func time(_ path: KeyPath<Transition, UInt64>) -> StoredField { StoredField(.time, path) }
  /// Nanoseconds since the epoch, as a number; 0 is unknown.
  static func unixNano(_ path: KeyPath<Transition, UInt64>) -> StoredField { StoredField(.unixNano, path) }
  /// A number that is always known.
  static func ordinal(_ path: KeyPath<Transition, UInt64>) -> StoredField { StoredField(.ordinal, path) }
  static func identifier(_ path: KeyPath<Transition, UInt64>) -> StoredField { StoredField(.identifier, path) }
  static func integer(_ path: KeyPath<Transition, UInt32?>) -> StoredField { StoredField(.integer, path) }
  static func wideInteger(_ path: KeyPath<Transition, UInt64?>) -> StoredField { StoredField(.wideInteger, path) }
  static func hexadecimal(_ path: KeyPath<Transition, UInt64?>) -> StoredField { StoredField(.hexadecimal, path) }
  /// An empty name is unknown.
  static func name(_ path: KeyPath<Transition, ShortName>) -> StoredField { StoredField(.name, path) }
  /// An empty text is unknown.
  static func interned(_ path: KeyPath<Transition, InternedText>) -> StoredField { StoredField(.interned, path) }
  /// 0 is unknown.
  static func port(_ path: KeyPath<Transition, UInt16>) -> StoredField { StoredField(.port, path) }
  static func address(_ path: KeyPath<Transition, IPAddress>) -> StoredField { StoredField(.address, path) }
  /// `::` and `0.0.0.0` are unknown.
  static func knownAddress(_ path: KeyPath<Transition, IPAddress>) -> StoredField { StoredField(.knownAddress, path) }
  static func state(_ path: KeyPath<Transition, TCPState>) -> StoredField { StoredField(.state, path) }
  static func stayLength(_ path: KeyPath<Transition, Stay?>) -> StoredField { StoredField(.stayLength, path) }
  static func stayKind(_ path: KeyPath<Transition, Stay?>) -> StoredField { StoredField(.stayKind, path) }
  static func source(_ path: KeyPath<Transition, Source>) -> StoredField { StoredField(.source, path) }
  static func role(_ path: KeyPath<Transition, Role>) -> StoredField { StoredField(.role, path) }
  /// Whether it holds whole numbers.
  var isWhole: Bool {
    switch form {
    case .unixNano, .ordinal, .integer, .wideInteger, .port, .stayLength: true
    default: false
    }
  }

  static func reason(_ path: KeyPath<Transition, Reason?>) -> StoredField { StoredField(.reason, path) }
  static func resetReason(_ path: KeyPath<Transition, ResetReason?>) -> StoredField { StoredField(.resetReason, path) }
  static func closer(_ path: KeyPath<Transition, Closer?>) -> StoredField { StoredField(.closer, path) }
  static func timeKind(_ path: KeyPath<Transition, TimeKind?>) -> StoredField { StoredField(.timeKind, path) }
  static func finCall(_ path: KeyPath<Transition, FinCall?>) -> StoredField { StoredField(.finCall, path) }
  static func ownerKind(_ path: KeyPath<Transition, OwnerKind?>) -> StoredField { StoredField(.ownerKind, path) }
  /// Follows from both addresses; it is read, and then dropped, because these say it too.
  static var networkType: StoredField { StoredField(.networkType, \.local) }

  /// The most bytes that a value takes in CSV or JSON Lines.
  var room: Int { form == .interned ? NameText.longRoom : NameText.room }

  var type: ColumnType {
    switch form {
    case .time: .time
    case .unixNano, .ordinal, .wideInteger, .stayLength: .wideInteger
    case .identifier: .identifier
    case .hexadecimal: .hexadecimal
    case .integer, .absent: .integer32
    case .port: .port
    case .name: .name
    case .interned: .text
    case .address, .knownAddress: .address
    case .networkType: .words(MachineWords.networkTypeNames)
    case .state: .state
    case .stayKind: .words(MachineWords.durationKindNames)
    case .source: .words(MachineWords.sourceNames)
    case .role: .words(MachineWords.roleNames)
    case .reason: .words(MachineWords.reasonNames)
    case .resetReason: .words(MachineWords.resetReasonNames)
    case .closer: .words(MachineWords.closerNames)
    case .timeKind: .words(MachineWords.timeKindNames)
    case .finCall: .words(MachineWords.finCallNames)
    case .ownerKind: .words(MachineWords.ownerKindNames)
    }
  }

  /// The field of one row, before it is text.
  @inline(__always)
  func value(of row: UnsafePointer<Transition>, _ words: FieldWords) -> FieldValue {
    switch form {
    case .time: FieldValue(time: load(row))
    case .unixNano: FieldValue(unixNano: load(row))
    case .ordinal: .wideNumber(load(row))
    case .identifier: .identifier(load(row))
    case .integer: FieldValue(load(row) as UInt32?)
    case .wideInteger: FieldValue(wide: load(row))
    case .hexadecimal: if let number: UInt64 = load(row) { .pointer(number) } else { .unknown }
    case .name: FieldValue(load(row) as ShortName)
    case .interned: FieldValue(load(row) as InternedText)
    case .port: FieldValue(port: load(row))
    case .address: .address(load(row))
    case .knownAddress: FieldValue(known: load(row))
    case .networkType: .word(row.pointee.isIPv4 ? words.ipv4 : words.ipv6)
    case .state: .word(words.states[Int((load(row) as TCPState).number)])
    case .stayLength: FieldValue(wide: (load(row) as Stay?)?.nanoseconds)
    case .stayKind:
      if let stay: Stay = load(row) { .word(words.durationKinds[Int(stay.kind.rawValue)]) } else { .unknown }
    case .source: .word(words.sources[Int((load(row) as Source).rawValue)])
    case .role: .word(words.roles[Int((load(row) as Role).rawValue)])
    case .reason: if let reason: Reason = load(row) { .word(words.reasons[Int(reason.rawValue)]) } else { .unknown }
    case .resetReason: if let reason: ResetReason = load(row) { .text(reason.name) } else { .unknown }
    case .closer: if let closer: Closer = load(row) { .word(words.closers[Int(closer.rawValue)]) } else { .unknown }
    case .timeKind:
      if let kind: TimeKind = load(row) { .word(words.timeKinds[Int(kind.rawValue)]) } else { .unknown }
    case .finCall: if let call: FinCall = load(row) { .word(words.finCalls[Int(call.rawValue)]) } else { .unknown }
    case .ownerKind:
      if let kind: OwnerKind = load(row) { .word(words.ownerKinds[Int(kind.rawValue)]) } else { .unknown }
    case .absent: .unknown
    }
  }

  /// Safe because the offset is that of a field of this type: every form has one type, by its function above.
  @inline(__always)
  private func load<Value: BitwiseCopyable>(_ row: UnsafePointer<Transition>) -> Value {
    UnsafeRawPointer(row).load(fromByteOffset: Int(offset), as: Value.self)
  }
}
