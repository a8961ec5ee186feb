// SPDX-License-Identifier: Apache-2.0

/// A TCP connection state, by the kernel's number (`include/net/tcp_states.h`).
///
/// Numbers that are not in the table are kept and printed as unknown, never used as
/// an index. NEW_SYN_RECV, the kernel's half-open request, is SYN-RECEIVED.
public struct TCPState: Hashable, Sendable, BitwiseCopyable {
  public let number: UInt8

  @inlinable
  public init(number: UInt8) {
    self.number = number == 12 ? 3 : number
  }

  // Computed, because a stored property would be looked up on each use.
  @inlinable public static var established: TCPState { TCPState(number: 1) }
  @inlinable public static var synSent: TCPState { TCPState(number: 2) }
  @inlinable public static var synReceived: TCPState { TCPState(number: 3) }
  @inlinable public static var finWait1: TCPState { TCPState(number: 4) }
  @inlinable public static var finWait2: TCPState { TCPState(number: 5) }
  @inlinable public static var timeWait: TCPState { TCPState(number: 6) }
  @inlinable public static var closed: TCPState { TCPState(number: 7) }
  @inlinable public static var closeWait: TCPState { TCPState(number: 8) }
  @inlinable public static var lastAck: TCPState { TCPState(number: 9) }
  @inlinable public static var listen: TCPState { TCPState(number: 10) }
  @inlinable public static var closing: TCPState { TCPState(number: 11) }

  /// Every state, in the order in which a connection passes through them (RFC 9293, section 3.3.2).
  public static let all: [TCPState] = [
    .closed, .listen, .synSent, .synReceived, .established, .finWait1, .finWait2,
    .closeWait, .closing, .lastAck, .timeWait,
  ]

  /// One more than the largest number in the table: the size of a per-state array.
  public static let arraySize = 13

  /// Whether the number is in the table.
  @inlinable
  public var isKnown: Bool { number >= 1 && number <= 11 }

  /// Whether both ends have agreed on sequence numbers: from ESTABLISHED on.
  @inlinable
  public var isSynchronized: Bool {
    isKnown && self != .closed && self != .listen && self != .synSent && self != .synReceived
  }

  /// Whether this end has closed its sending side, as long as it has a full socket.
  @inlinable
  public var hasSentFin: Bool { self == .finWait1 || self == .finWait2 || self == .closing || self == .lastAck }
}

/// The three spellings of a state. Only this table spells states.
public enum StateSpelling: Int, Sendable {
  /// RFC 9293: `FIN-WAIT-1`. For people.
  case rfc
  /// OpenTelemetry's `network.connection.state`: `fin_wait_1`. For machines.
  case openTelemetry
  /// The kernel's and tcpstates': `FIN_WAIT1`.
  case kernel
}

/// By kernel number; index 0 is no state.
private let spellings: [(StaticString, StaticString, StaticString)] = [
  ("", "", ""),
  ("ESTABLISHED", "established", "ESTABLISHED"),
  ("SYN-SENT", "syn_sent", "SYN_SENT"),
  ("SYN-RECEIVED", "syn_received", "SYN_RECV"),
  ("FIN-WAIT-1", "fin_wait_1", "FIN_WAIT1"),
  ("FIN-WAIT-2", "fin_wait_2", "FIN_WAIT2"),
  ("TIME-WAIT", "time_wait", "TIME_WAIT"),
  ("CLOSED", "closed", "CLOSE"),
  ("CLOSE-WAIT", "close_wait", "CLOSE_WAIT"),
  ("LAST-ACK", "last_ack", "LAST_ACK"),
  ("LISTEN", "listen", "LISTEN"),
  ("CLOSING", "closing", "CLOSING"),
]

extension TCPState {
  /// The table's entry; `nil` for a number that is not in it.
  public func staticName(_ spelling: StateSpelling) -> StaticString? {
    guard isKnown else { return nil }
    let entry = spellings[Int(number)]
    switch spelling {
    case .rfc: return entry.0
    case .openTelemetry: return entry.1
    case .kernel: return entry.2
    }
  }

  /// The name in one spelling. Numbers not in the table are `UNKNOWN(14)`, for machines `unknown_14`.
  public func name(_ spelling: StateSpelling) -> String {
    if let name = staticName(spelling) { return name.description }
    return spelling == .openTelemetry ? "unknown_\(number)" : "UNKNOWN(\(number))"
  }

  /// Parses any spelling in any case, including those of `ss` (`syn-recv`, `fin-wait-1`).
  ///
  /// Separators are ignored, so `FIN_WAIT1`, `fin-wait-1` and `FinWait1` are the same.
  public init?(parsing text: some StringProtocol) {
    if let number = Self.numbersByFoldedName[Self.fold(text)] {
      self.init(number: number)
      return
    }
    // The form that `name(_:)` writes: UNKNOWN(14) or unknown_14.
    let lower = text.lowercased()
    var digits = lower.dropFirst("unknown".count)
    if digits.first == "(", digits.last == ")" {
      digits = digits.dropFirst().dropLast()
    } else if digits.first == "_" {
      digits = digits.dropFirst()
    } else {
      return nil
    }
    guard lower.hasPrefix("unknown"), digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      let number = UInt8(digits)
    else { return nil }
    self.init(number: number)
  }

  /// Parses the name of a state, or of a group of states as `ss` has them: `all`, `connected`, `synchronized`,
  /// `bucket` (kept as minisocks: SYN-RECEIVED and TIME-WAIT), `big` (the others). CLOSED is in none of the groups.
  public static func states(parsing text: some StringProtocol) -> Set<TCPState>? {
    if let state = TCPState(parsing: text) { return [state] }
    let all = Set(all).subtracting([.closed])
    let bucket: Set<TCPState> = [.synReceived, .timeWait]
    switch text.lowercased() {
    case "all": return all
    case "connected": return all.subtracting([.listen])
    case "synchronized", "synchronised": return all.subtracting([.listen, .synSent])
    case "bucket": return bucket
    case "big": return all.subtracting(bucket)
    default: return nil
    }
  }

  private static func fold(_ text: some StringProtocol) -> String {
    text.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }
  }

  private static let numbersByFoldedName: [String: UInt8] = {
    var table: [String: UInt8] = ["newsynrecv": 3, "estab": 1, "listening": 10, "unconnected": 7]
    for state in all {
      for spelling in [StateSpelling.rfc, .openTelemetry, .kernel] {
        table[fold(state.name(spelling))] = state.number
      }
    }
    return table
  }()
}

extension TCPState: CustomStringConvertible {
  public var description: String { name(.rfc) }
}
