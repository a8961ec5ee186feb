import TCPStateCore

/// What a row's columns don't say about a transition: who or what brought it about.
public struct WhyText: Sendable {
  /// Empty if there is nothing to say.
  public let cause: StaticString
  /// Whether an actor who isn't the owner is to be named after the cause, as `by nginx/812`.
  public let namesActor: Bool
  /// Whether the connection didn't end in order.
  public let isAlarm: Bool
  /// Whether the new state alone says as much.
  let isImplied: Bool

  public init(_ row: Transition) {
    let foreign = row.actorPID != nil && row.actorPID != row.ownerPID
    namesActor = foreign
    let known = Self.phrase(row.reason)
    isAlarm = !known.utf8IsEmpty && row.reason != .reused
    if !known.utf8IsEmpty {
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

  private static func phrase(_ reason: Reason?) -> StaticString {
    switch reason {
    case .resetReceived: "reset received"
    case .resetSent: "reset sent"
    case .timeout: "timed out"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .aborted: "aborted"
    case .killed: "killed"
    case .unaccepted: "never accepted"
    case .reused: "reused"
    case .timeWaitOverflow: "too many TIME-WAIT"
    case .fin, .unknown, nil: ""
    }
  }

  /// The reason in words; its name where the timeline says nothing.
  static func words(for reason: Reason) -> String {
    let known = phrase(reason)
    return known.utf8IsEmpty ? reason.name.description : known.description
  }

  private static func deed(_ row: Transition) -> StaticString {
    switch row.new {
    case .closed, .finWait1, .lastAck: "closed"
    case .synSent, .listen: "opened"
    default: ""
    }
  }

  /// Appends the text, `reset received` or `closed by nginx/812`, and returns its columns.
  ///
  /// - Parameter withDetail: also why a reset was sent: `aborted (linger)`.
  @discardableResult
  func append(
    _ row: Transition, style: TableStyle, withDetail: Bool = true, to buffer: inout ByteBuffer
  ) -> Int {
    var width = cause.utf8CodeUnitCount
    buffer.append(cause)
    if withDetail, width > 0, let detail = row.resetReason?.words {
      buffer.append(" (")
      buffer.append(detail)
      buffer.append(")")
      width += detail.utf8CodeUnitCount + 3
    }
    guard namesActor else { return width }
    if width > 0 {
      buffer.append(UInt8(ascii: " "))
      width += 1
    }
    buffer.append("by ")
    return width + 3
      + OwnerText.append(name: row.actorName, pid: row.actorPID, glyphs: style.glyphs, to: &buffer)
  }
}

extension StaticString {
  fileprivate var utf8IsEmpty: Bool { utf8CodeUnitCount == 0 }
}
