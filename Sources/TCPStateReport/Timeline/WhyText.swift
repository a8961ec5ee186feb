// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What a row's columns don't say about a transition: what caused it, and which process.
public struct WhyText: Sendable {
  /// Empty if there is nothing to add.
  public let cause: StaticString
  /// Whether the actor is not the owner and so is named after the cause: `by nginx/812`.
  public let namesActor: Bool
  /// Whether the connection ended other than in order.
  public let isAlarm: Bool
  /// Whether the new state alone implies the cause.
  let isImplied: Bool

  public init(_ row: Transition) {
    let foreign = row.actorPID != nil && row.actorPID != row.ownerPID
    namesActor = foreign
    let known = Self.words(row.reason)
    isAlarm = known != nil && row.reason != .reused
    if let known {
      cause = known
      isImplied = false
    } else if row.new == .closeWait {
      cause = "peer closed"
      isImplied = true
    } else if row.new == .closing {
      cause = "both closed"
      isImplied = true
    } else if foreign {
      cause = Self.deed(row)
      isImplied = false
    } else {
      cause = row.source == .snapshot ? "found later" : ""
      isImplied = false
    }
  }

  /// The reason in words; `nil` where the states already say as much.
  private static func words(_ reason: Reason?) -> StaticString? {
    guard let reason, reason != .fin, reason != .unknown else { return nil }
    return reason.words
  }

  private static func deed(_ row: Transition) -> StaticString {
    switch row.new {
    case .closed, .finWait1, .lastAck: "closed"
    case .synSent, .listen: "opened"
    default: ""
    }
  }

  /// How much of it is written.
  enum Form {
    case whole
    /// Without why a reset was sent: `aborted` for `aborted (linger)`.
    case withoutDetail
    /// Without the actor, too, if there is anything else to say.
    case causeOnly
  }

  /// Appends the text, `reset received` or `closed by nginx/812`, and returns its width.
  @discardableResult
  func append(_ row: Transition, style: TableStyle, form: Form = .whole, to buffer: inout ByteBuffer) -> Int {
    var width = cause.utf8CodeUnitCount
    buffer.append(cause)
    if form == .whole, width > 0, let detail = row.resetReason?.words {
      buffer.append(" (")
      buffer.append(detail)
      buffer.append(")")
      width += detail.utf8CodeUnitCount + 3
    }
    guard namesActor, form != .causeOnly else { return width }
    if width > 0 {
      buffer.append(UInt8(ascii: " "))
      width += 1
    }
    buffer.append("by ")
    return width + 3
      + OwnerText.append(name: row.actorName, pid: row.actorPID, glyphs: style.glyphs, to: &buffer)
  }
}
