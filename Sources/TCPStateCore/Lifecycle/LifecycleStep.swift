/// The control bits of a segment that open and close connections.
public struct SegmentFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let syn = SegmentFlags(rawValue: 1)
  public static let ack = SegmentFlags(rawValue: 2)
  public static let fin = SegmentFlags(rawValue: 4)
  public static let rst = SegmentFlags(rawValue: 8)

  /// In the order in which the textbook names them.
  public var names: [StaticString] {
    var names: [StaticString] = []
    if contains(.syn) { names.append("SYN") }
    if contains(.fin) { names.append("FIN") }
    if contains(.rst) { names.append("RST") }
    if contains(.ack) { names.append("ACK") }
    return names
  }
}

/// A segment that one end sent to the other.
public struct LifecycleSegment: Hashable, Sendable, BitwiseCopyable {
  public var flags: SegmentFlags
  /// SEG.SEQ, modulo 2^32; `nil` when it isn't certain.
  public var sequence: UInt32?
  /// SEG.ACK, the next byte expected; `nil` without an ACK, or when it isn't certain.
  public var acknowledgement: UInt32?
  /// No answer ever came.
  public var isUnanswered = false

  public init(_ flags: SegmentFlags, sequence: UInt32?, acknowledgement: UInt32? = nil) {
    self.flags = flags
    self.sequence = sequence
    self.acknowledgement = acknowledgement
  }
}

/// One step in the life of a connection, numbered as the textbook does:
/// handshake 1–4 (RFC 9293, figure 6), close 1–8 (figure 12).
public struct LifecycleStep: Sendable {
  public enum Phase: UInt8, Sendable {
    case handshake, close

    public var name: StaticString { self == .handshake ? "handshake" : "close" }
  }

  public enum Basis: UInt8, Sendable {
    /// The kernel told it.
    case observed
    /// It follows from what the other end was seen to do.
    case implied
    /// It is still to come.
    case expected

    public var name: StaticString {
      switch self {
      case .observed: "observed"
      case .implied: "implied"
      case .expected: "expected"
      }
    }
  }

  /// What an application did or saw.
  public enum Act: UInt8, Sendable {
    case close
    /// shutdown(SHUT_WR): it went on receiving.
    case shutdown
    /// read() returns 0.
    case endOfFile
    /// Closed without a FIN.
    case abort
    /// By an administrator (`ss -K`).
    case kill
    /// Its listener was closed before accept().
    case listenerClosed

    public var name: StaticString {
      switch self {
      case .close: "close"
      case .shutdown: "shutdown"
      case .endOfFile: "end_of_file"
      case .abort: "abort"
      case .kill: "kill"
      case .listenerClosed: "listener_closed"
      }
    }
  }

  public var phase: Phase
  /// The textbook's number; `nil` for what it has none for, such as a RST.
  public var number: UInt8?
  /// Whose step it is: who sends, or whose state changes.
  public var side: Side
  public var basis: Basis
  /// Nanoseconds since the epoch, CLOCK_REALTIME; `nil` for a step that was only implied.
  public var time: UInt64?
  /// `time` is when it happened at the latest.
  public var timeIsBound = false
  public var segment: LifecycleSegment?
  /// The state that `side` enters; `nil` if it stays where it is.
  public var state: TCPState?
  /// How long it then stayed in it; `nil` if it is in it still, or it isn't known.
  public var stay: Stay?
  public var act: Act?
  /// Why the connection ended by this step.
  public var reason: Reason?
  /// Why `side` sent a RST.
  public var resetReason: ResetReason?
  /// The process that acted, if it isn't the owner.
  public var actorPID: UInt32?
  public var actorName = ShortName()
  /// The states of both ends after the step; `nil` when not known.
  public internal(set) var clientState: TCPState?
  public internal(set) var serverState: TCPState?

  init(_ phase: Phase, _ number: UInt8?, _ side: Side, _ basis: Basis) {
    self.phase = phase
    self.number = number
    self.side = side
    self.basis = basis
  }
}
