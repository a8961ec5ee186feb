// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The machine spellings of every enumeration, ready to be stored: looking one
/// up in Core's tables for each cell would cost more than writing it.
///
/// The memory is allocated once and never freed or changed, so pointers into it
/// may be kept and shared between threads.
enum MachineWords {
  /// By `TCPState.number`: 256 entries, so that no number is out of bounds.
  nonisolated(unsafe) static let states = table((0...255).map { TCPState(number: $0).name(.openTelemetry) })
  /// By `Role.rawValue`.
  nonisolated(unsafe) static let roles = table(roleNames)
  /// By `Closer.rawValue`.
  nonisolated(unsafe) static let closers = table(closerNames)
  /// By `OwnerKind.rawValue`.
  nonisolated(unsafe) static let ownerKinds = table(ownerKindNames)
  /// By `Reason.rawValue`.
  nonisolated(unsafe) static let reasons = table(reasonNames)
  /// By `DurationKind.rawValue`.
  nonisolated(unsafe) static let durationKinds = table(durationKindNames)
  /// By `Source.rawValue`.
  nonisolated(unsafe) static let sources = table(sourceNames)
  /// By `TimeKind.rawValue`.
  nonisolated(unsafe) static let timeKinds = table(timeKindNames)
  /// By `FinCall.rawValue`.
  nonisolated(unsafe) static let finCalls = table(finCallNames)

  static let roleNames = Role.allCases.map(\.name.description)
  static let closerNames = Closer.allCases.map(\.name.description)
  static let ownerKindNames = OwnerKind.allCases.map(\.name.description)
  static let reasonNames = Reason.allCases.map(\.name.description)
  static let resetReasonNames = ResetReason.allCases.map(\.name.description)
  static let durationKindNames = [DurationKind.exact, .atLeast].map(\.name.description)
  static let sourceNames = [Source.event, .snapshot, .derived].map(\.name.description)
  static let timeKindNames = TimeKind.allCases.map(\.name.description)
  static let finCallNames = FinCall.allCases.map(\.name.description)
  static let networkTypeNames = ["ipv4", "ipv6"]

  /// Found by trial: it gives each of the eleven states a slot of its own (`FieldWords.slot`).
  static let stateMultiplier: UInt64 = 0xc2ce_6f44_7ed4_d57b
  nonisolated(unsafe) static let stateNumbers: UnsafePointer<UInt8> = {
    let numbers = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
    // In a slot of no state, CLOSED's word is compared, and differs.
    numbers.initialize(repeating: TCPState.closed.number, count: 64)
    for state in TCPState.all { numbers[FieldWords.slot(of: states[Int(state.number)])] = state.number }
    return UnsafePointer(numbers)
  }()

  private static func table(_ names: [String]) -> UnsafePointer<Word> {
    let words = UnsafeMutablePointer<Word>.allocate(capacity: names.count)
    for (index, name) in names.enumerated() {
      (words + index).initialize(to: Word(name.utf8))
    }
    return UnsafePointer(words)
  }
}
