// SPDX-License-Identifier: Apache-2.0

/// What a full socket counts, at one moment. `nil` is unknown.
public struct SocketCounters: Sendable, Equatable, BitwiseCopyable {
  /// Bytes of payload sent, without retransmissions.
  public var bytesSent: UInt64?
  public var bytesReceived: UInt64?
  /// Smoothed round-trip time.
  public var rttMicroseconds: UInt32?
  /// Segments retransmitted.
  public var retransmits: UInt32?

  public init(
    bytesSent: UInt64? = nil, bytesReceived: UInt64? = nil, rttMicroseconds: UInt32? = nil, retransmits: UInt32? = nil
  ) {
    (self.bytesSent, self.bytesReceived) = (bytesSent, bytesReceived)
    (self.rttMicroseconds, self.retransmits) = (rttMicroseconds, retransmits)
  }
}
