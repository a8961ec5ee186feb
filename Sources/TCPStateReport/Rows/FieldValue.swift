// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The value of one column in one row, before it is text.
enum FieldValue {
  case unknown
  /// At most 53 significant bits: a number in JSON too.
  case number(UInt64)
  /// 64 bits: a string in JSON, because readers would round a number.
  case wideNumber(UInt64)
  /// Sixteen hexadecimal digits.
  case identifier(UInt64)
  /// Hexadecimal digits.
  case pointer(UInt64)
  case word(Word)
  /// One of our own words, of any length.
  case text(StaticString)
  /// Not empty.
  case name(ShortName)
  /// Not empty.
  case interned(InternedText)
  case address(IPAddress)
  /// Nanoseconds since the epoch, as RFC 3339.
  case time(UInt64)
  /// Nanoseconds since the epoch, as a number of 64 bits.
  case unixNano(UInt64)

  /// The most bytes that it takes in CSV or JSON Lines.
  var room: Int { if case .interned = self { NameText.longRoom } else { NameText.room } }

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
  init(_ text: InternedText) {
    self = text.isEmpty ? .unknown : .interned(text)
  }

  @inline(__always)
  init(port: UInt16) {
    self = port == 0 ? .unknown : .number(UInt64(port))
  }

  @inline(__always)
  init(time: UInt64) {
    self = time == 0 ? .unknown : .time(time)
  }

  @inline(__always)
  init(unixNano time: UInt64) {
    self = time == 0 ? .unknown : .unixNano(time)
  }

  @inline(__always)
  init(known address: IPAddress) {
    self = address.isUnspecified ? .unknown : .address(address)
  }
}

/// The machine words that columns need, fetched once by each writer.
///
/// Sendable because the memory behind its pointers never changes.
struct FieldWords: @unchecked Sendable {
  let states = MachineWords.states
  /// By `slot(of:)`: the only state that a word can be.
  let stateNumbers = MachineWords.stateNumbers
  let roles = MachineWords.roles
  let closers = MachineWords.closers
  let ownerKinds = MachineWords.ownerKinds
  let reasons = MachineWords.reasons
  let durationKinds = MachineWords.durationKinds
  let sources = MachineWords.sources
  let timeKinds = MachineWords.timeKinds
  let finCalls = MachineWords.finCalls
  let ipv4 = Word("ipv4")
  let ipv6 = Word("ipv6")
  let octets = AddressText.octets

  /// One of 64 slots; no two states share one.
  @inline(__always)
  static func slot(of word: Word) -> Int {
    Int(truncatingIfNeeded: ((word.first ^ word.second) &* MachineWords.stateMultiplier) >> 58)
  }
}
