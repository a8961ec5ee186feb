// SPDX-License-Identifier: Apache-2.0

/// One socket going from one state to another, whichever socket it is.
public struct Move: Hashable, Sendable, BitwiseCopyable {
  public let old: TCPState
  public let new: TCPState

  public init(_ old: TCPState, _ new: TCPState) {
    self.old = old
    self.new = new
  }

  /// Whether it ends a connection: it leads to TIME-WAIT, or to CLOSED from any other state of a connection. So each
  /// connection ends once, orderly or not. A listener that closes isn't one.
  public var endsConnection: Bool {
    if new == .timeWait { return old != .timeWait }
    return new == .closed && old != .timeWait && old != .listen && old != .closed
  }
}

/// The state machine of RFC 9293, figure 5, as far as Linux has it.
///
/// Two of the figure's arrows never occur here: Linux has no call that sends from LISTEN, and a reset in SYN-RECEIVED ends
/// the request, while its listener stays where it is. Everything else that ends a connection early (resets, timeouts) isn't
/// in the figure either.
public enum StateMachine {
  public struct Arrow: Sendable {
    public let move: Move
    /// What makes the transition, in the figure's words.
    public let event: StaticString
  }

  /// In the order in which connections pass them.
  public static let arrows: [Arrow] = [
    arrow(.closed, .listen, "passive OPEN"),
    arrow(.listen, .closed, "CLOSE"),
    arrow(.closed, .synSent, "active OPEN"),
    arrow(.synSent, .closed, "CLOSE"),
    arrow(.listen, .synReceived, "rcv SYN"),
    arrow(.synSent, .synReceived, "rcv SYN"),
    arrow(.synReceived, .established, "rcv ACK of SYN"),
    arrow(.synSent, .established, "rcv SYN,ACK"),
    arrow(.synReceived, .finWait1, "CLOSE"),
    arrow(.established, .finWait1, "CLOSE"),
    arrow(.established, .closeWait, "rcv FIN"),
    arrow(.finWait1, .finWait2, "rcv ACK of FIN"),
    arrow(.finWait1, .closing, "rcv FIN"),
    arrow(.finWait2, .timeWait, "rcv FIN"),
    arrow(.closing, .timeWait, "rcv ACK of FIN"),
    arrow(.closeWait, .lastAck, "CLOSE"),
    arrow(.lastAck, .closed, "rcv ACK of FIN"),
    arrow(.timeWait, .closed, "timeout"),
  ]

  private static func arrow(_ old: TCPState, _ new: TCPState, _ event: StaticString) -> Arrow {
    Arrow(move: Move(old, new), event: event)
  }
}
