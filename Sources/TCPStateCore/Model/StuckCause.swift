// SPDX-License-Identifier: Apache-2.0
/// Why a socket doesn't leave its state, as its queues, windows and timers show it.
///
/// `Verdict` says which process could end the state, this what it waits for.
public enum StuckCause: UInt8, Sendable, CaseIterable {
  /// The handshake is complete, and no process has called accept().
  case notAccepted
  /// Nothing has answered what this end sent, a SYN, payload or a FIN, and it has been or will be sent again.
  case unanswered
  /// Keepalive probes, or probes of a shut window, get no answer.
  case probeUnanswered
  /// The peer has shut its receive window, and payload waits for it to open: the program there doesn't read.
  case windowShut
  /// The process has not read what has arrived, be it payload or the end of the stream.
  case notReading
  /// Payload is on its way, and its acknowledgements arrive.
  case sending
  /// close() or shutdown() has been called, and the FIN waits behind payload.
  case finUnsent
  /// The process has read the end of the stream, everything is sent, and it hasn't closed the socket.
  case notClosed
  /// The peer has acknowledged this end's FIN and hasn't sent its own.
  case peerNotClosed
  /// Nothing waits in either direction.
  case idle
  /// A system call on the socket has not returned: close(), or one that another thread sleeps in and that keeps the
  /// socket open after close().
  case inSystemCall
  /// The client has completed the handshake, and the listener's TCP_DEFER_ACCEPT waits for its first data.
  case awaitsData
  /// The client has completed the handshake, and the accept queue had no room.
  case queueFull
  /// The last ACK of the handshake hasn't arrived.
  case handshake

  public var name: StaticString {
    switch self {
    case .notAccepted: "not_accepted"
    case .unanswered: "unanswered"
    case .probeUnanswered: "probe_unanswered"
    case .windowShut: "window_shut"
    case .notReading: "not_reading"
    case .sending: "sending"
    case .finUnsent: "fin_unsent"
    case .notClosed: "not_closed"
    case .peerNotClosed: "peer_not_closed"
    case .idle: "idle"
    case .inSystemCall: "in_system_call"
    case .awaitsData: "awaits_data"
    case .queueFull: "queue_full"
    case .handshake: "handshake"
    }
  }
}
