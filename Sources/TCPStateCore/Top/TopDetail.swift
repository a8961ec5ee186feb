// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// One connection in the kernel's tables: its holders and windows.
public struct TopDetail: Sendable {
  /// When it was read, nanoseconds since the epoch.
  public var time: UInt64
  public var socket: StuckSocket
  /// Its sequence numbers, windows and timers at that time; other fields are unknown.
  public var flow: Transition

  public init(time: UInt64, socket: StuckSocket, flow: Transition) {
    self.time = time
    self.socket = socket
    self.flow = flow
  }
}

extension Transition {
  /// Takes sequence numbers, windows and timers of a full socket from one record of
  /// the tables, borrowed for the call; `nil` for minisocks, which have none.
  ///
  /// - Parameter ticksPerSecond: CONFIG_HZ; without it the RTO is unknown.
  public init?(flowOf snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?) {
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    guard Int32(event.pointee.kind) == TCPSTATE_KIND_SOCKET else { return nil }
    self.init()
    let state = TCPState(number: event.pointee.state_new)
    ConnectionTracker.writeFlow(event, old: state, new: state, ticksPerSecond: ticksPerSecond, to: &self)
    guard state.isSynchronized else { return }
    (sendNext, receiveNext) = (event.pointee.send_next, event.pointee.receive_next)
    rttMicroseconds = event.pointee.smoothed_rtt_us8 >> 3
    retransmits = event.pointee.retransmits
    let counters = PayloadCounters(event)
    (bytesSent, bytesReceived) = (counters.sent, counters.received)
  }
}
