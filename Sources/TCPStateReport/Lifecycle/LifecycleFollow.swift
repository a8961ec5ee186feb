// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Lives step by step as they happen. The steps of different connections are
/// interleaved, so each line begins with the connection's id.
public struct LifecycleFollow: ~Copyable {
  /// Identifies a step within its life.
  private struct Key: Hashable {
    var phase: LifecycleStep.Phase
    var number: UInt8?
    var side: Side
    var state: TCPState?
    var flags: SegmentFlags?
  }

  /// Nanoseconds after which the transitions of both ends have arrived.
  private static let order: UInt64 = 20_000_000
  /// Nanoseconds after which an unknown sequence number is shown as `?`.
  private static let patience: UInt64 = 1_000_000_000

  private var ladder: LifecycleLadder
  private var json: LifecycleJSON
  private let asJSON: Bool
  /// The steps already written, by connection.
  private var written: [UInt64: Set<Key>] = [:]

  public init(style: TableStyle, relative: Bool, asJSON: Bool) {
    var narrower = style
    narrower.width = (style.width ?? 100) - Self.prefixWidth
    ladder = LifecycleLadder(style: narrower, relative: relative)
    json = LifecycleJSON(relative: relative)
    self.asJSON = asJSON
  }

  private static let prefixWidth = 5

  public mutating func resize(width: Int?) { ladder.resize(width: (width ?? 100) - Self.prefixWidth) }

  /// Appends the steps that are complete by `now` and haven't been written yet.
  ///
  /// - Parameters:
  ///   - now: nanoseconds since the epoch.
  ///   - isLast: whether the life is over, so that every step is written.
  /// - Returns: whether steps are left for later.
  @discardableResult
  public mutating func append(_ life: Lifecycle, now: UInt64, isLast: Bool, to buffer: inout ByteBuffer) -> Bool {
    // Either end may have been written before the two were joined.
    let ids = Side.allCases.compactMap { life[$0]?.facts.connection }
    var keys = ids.reduce(into: Set<Key>()) { $0.formUnion(written[$1] ?? []) }
    let steps = life.steps
    let layout = ladder.layout(life, steps, isTight: (ladder.style.width ?? 100) < 84)
    var isWaiting = false
    var previous: LifecycleStep?
    for step in steps {
      defer { previous = step }
      let key = Key(
        phase: step.phase, number: step.number, side: step.side, state: step.state, flags: step.segment?.flags)
      if keys.contains(key) { continue }
      guard isLast || isComplete(step, now: now) else {
        isWaiting = true
        break
      }
      var lines = ByteBuffer(capacity: 1024)
      if asJSON {
        append(json: step, life, to: &buffer)
      } else {
        if keys.isEmpty {
          ladder.appendTitle(life, layout, isBeginning: true, to: &lines)
          ladder.appendHeading(life, layout, to: &lines)
        }
        if step.phase == .close, !keys.contains(where: { $0.phase == .close }) {
          ladder.appendTransfer(life, layout, to: &lines)
        }
        ladder.append(step, after: previous, life, layout, to: &lines)
        prefix(lines, life.id, to: &buffer)
      }
      keys.insert(key)
    }
    for id in ids { written[id] = isLast ? nil : keys }
    return isWaiting
  }

  private func isComplete(_ step: LifecycleStep, now: UInt64) -> Bool {
    guard step.basis != .expected else { return false }
    let age = now &- min(step.time ?? now &- Self.order, now)
    guard age >= Self.order else { return false }
    guard let segment = step.segment, age < Self.patience else { return true }
    let acknowledged = !segment.flags.contains(.ack) || segment.acknowledgement != nil
    return segment.sequence != nil && acknowledged
  }

  private mutating func append(json step: LifecycleStep, _ life: Lifecycle, to buffer: inout ByteBuffer) {
    var object = ByteBuffer(capacity: 1024)
    json.append(step, life, to: &object)
    buffer.append("{\"connection_id\":\"")
    buffer.append(hex16: life.id)
    buffer.append("\",")
    buffer.append(String(object.text.dropFirst()))
    buffer.append("\n")
  }

  private func prefix(_ lines: borrowing ByteBuffer, _ id: UInt64, to buffer: inout ByteBuffer) {
    let digits = String(id, radix: 16)
    let tag = String(repeating: " ", count: max(4 - digits.count, 0)) + digits.suffix(4)
    for line in lines.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      buffer.append(tag)
      buffer.append(" ")
      buffer.append(String(line))
      buffer.append("\n")
    }
  }
}
