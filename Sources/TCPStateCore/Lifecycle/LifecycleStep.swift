// SPDX-License-Identifier: Apache-2.0

/// The control bits of a segment that open and close connections.
public struct SegmentFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let syn = SegmentFlags(rawValue: 1)
  public static let ack = SegmentFlags(rawValue: 2)
  public static let fin = SegmentFlags(rawValue: 4)
  public static let rst = SegmentFlags(rawValue: 8)

  /// In the textbook's order.
  public var names: [StaticString] {
    var names: [StaticString] = []
    if contains(.syn) { names.append("SYN") }
    if contains(.fin) { names.append("FIN") }
    if contains(.rst) { names.append("RST") }
    if contains(.ack) { names.append("ACK") }
    return names
  }
}

/// A segment from one end to the other.
public struct LifecycleSegment: Hashable, Sendable, BitwiseCopyable {
  public var flags: SegmentFlags
  /// SEG.SEQ, modulo 2^32; `nil` when it isn't certain.
  public var sequence: UInt32?
  /// SEG.ACK, the next byte expected; `nil` without an ACK, or when it isn't certain.
  public var acknowledgement: UInt32?
  /// Whether it was never answered.
  public var isUnanswered = false

  public init(_ flags: SegmentFlags, sequence: UInt32?, acknowledgement: UInt32? = nil) {
    self.flags = flags
    self.sequence = sequence
    self.acknowledgement = acknowledgement
  }
}

/// One step in the life of a connection, with the textbook's number:
/// handshake 1–4 (RFC 9293, figure 6), close 1–8 (figure 12).
public struct LifecycleStep: Sendable {
  public enum Phase: UInt8, Sendable {
    case handshake, close

    public var name: StaticString { self == .handshake ? "handshake" : "close" }
  }

  public enum Basis: UInt8, Sendable {
    /// The kernel reported it as it happened.
    case observed
    /// It follows from what the other end did.
    case implied
    /// It hasn't happened yet.
    case expected
    /// The kernel's tables showed afterwards that it had happened.
    case found

    /// Whether it was seen at its own end, then or afterwards.
    @inlinable
    public var isSeen: Bool { self == .observed || self == .found }

    public var name: StaticString {
      switch self {
      case .observed: "observed"
      case .implied: "implied"
      case .expected: "expected"
      case .found: "found"
      }
    }
  }

  /// What an application did or observed.
  public enum Act: UInt8, Sendable {
    case close
    /// The sending side only, or both directions with the socket kept.
    case shutdown
    /// close() or shutdown(SHUT_RDWR), which look alike until it is known whether a process can reach the socket.
    case closeOrShutdown
    /// read() returns 0.
    case endOfFile
    /// Closed without a FIN.
    case abort
    /// Killed by an administrator (`ss -K`).
    case kill
    /// Its listener was closed before accept().
    case listenerClosed

    public var name: StaticString {
      switch self {
      case .close: "close"
      case .shutdown: "shutdown"
      case .closeOrShutdown: "close_or_shutdown"
      case .endOfFile: "end_of_file"
      case .abort: "abort"
      case .kill: "kill"
      case .listenerClosed: "listener_closed"
      }
    }
  }

  public var phase: Phase
  /// The textbook's number; `nil` for what it doesn't number, such as a RST.
  public var number: UInt8?
  /// The side that sends, or whose state changes.
  public var side: Side
  public var basis: Basis
  /// Nanoseconds since the epoch, CLOCK_REALTIME; `nil` for an implied step.
  public var time: UInt64?
  /// How `time` relates to when it happened.
  public var timeKind = TimeKind.exact
  /// If `time` is a bound: how far from it the step was at most, in nanoseconds; `nil` if that isn't known.
  public var timeError: UInt64?
  public var segment: LifecycleSegment?
  /// The state that `side` enters; `nil` if its state doesn't change.
  public var state: TCPState?
  /// How long it then stayed in that state; `nil` if it still is, or that isn't known.
  public var stay: Stay?
  public var act: Act?
  /// Why the connection ended, if it did with this step.
  public var reason: Reason?
  /// Why `side` sent a RST.
  public var resetReason: ResetReason?
  /// The thread group id of the process that acted, if it isn't the owner.
  public var actorPID: UInt32?
  public var actorName = ShortName()
  /// The states of both ends after the step; `nil` if not known.
  public internal(set) var clientState: TCPState?
  public internal(set) var serverState: TCPState?

  init(_ phase: Phase, _ number: UInt8?, _ side: Side, _ basis: Basis) {
    self.phase = phase
    self.number = number
    self.side = side
    self.basis = basis
  }

  /// A step of `side` that follows from what the other end did.
  static func implied(
    _ phase: Phase, _ number: UInt8?, of side: Side, entering state: TCPState,
    sending segment: LifecycleSegment? = nil, act: Act? = nil
  ) -> LifecycleStep {
    var step = LifecycleStep(phase, number, side, .implied)
    step.state = state
    step.segment = segment
    step.act = act
    return step
  }
}
