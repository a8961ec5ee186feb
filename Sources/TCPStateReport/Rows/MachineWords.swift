import TCPStateCore

/// The machine spellings of every enumeration, ready to be stored: looking one
/// up in Core's tables for each cell would cost more than writing it.
///
/// The memory is made once and never freed or changed, so pointers into it may
/// be kept and shared between threads.
enum MachineWords {
  /// By `TCPState.number`: 256 entries, so that no number is out of bounds.
  nonisolated(unsafe) static let states = table((0...255).map { TCPState(number: $0).name(.openTelemetry) })
  /// By `Role.rawValue`.
  nonisolated(unsafe) static let roles = table(Role.allCases.map(\.name.description))
  /// By `Closer.rawValue`.
  nonisolated(unsafe) static let closers = table(Closer.allCases.map(\.name.description))
  /// By `Reason.rawValue`.
  nonisolated(unsafe) static let reasons = table(Reason.allCases.map(\.name.description))
  /// By `DurationKind.rawValue`.
  nonisolated(unsafe) static let durationKinds = table(
    [DurationKind.exact, .atLeast].map(\.name.description))
  /// By `Source.rawValue`.
  nonisolated(unsafe) static let sources = table([Source.event, .snapshot, .derived].map(\.name.description))

  /// Found by trial: with it the eleven states have slots of their own (`FieldWords.slot`).
  static let stateMultiplier: UInt64 = 0xc2ce_6f44_7ed4_d57b
  nonisolated(unsafe) static let stateNumbers: UnsafePointer<UInt8> = {
    let numbers = UnsafeMutablePointer<UInt8>.allocate(capacity: 64)
    // CLOSED's word is compared then, and is another.
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
