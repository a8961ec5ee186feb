// SPDX-License-Identifier: Apache-2.0

/// What foreign clients can cost at most.
public struct WebLimits: Sendable, Equatable {
  /// Connections open at a time. One more closes the one that has been idle longest, of the address that has most.
  public var connections = 128
  /// Pages of series being sent at a time. One more ends the one that takes longest, if that's over a second; else it gets 503.
  public var scrapes = 40
  /// From the opening of a connection, or a request's first byte, to the end of its header.
  public var readTime = Duration.seconds(10)
  /// From a request's header to the last byte of the response.
  public var writeTime = Duration.seconds(30)
  /// Between two requests of a connection.
  public var idleTime = Duration.seconds(120)
  /// After an early end, how long what the client still sends is read and dropped, so that it gets the response.
  public var lingerTime = Duration.seconds(1)
  /// Bytes of the request line, and of each header field.
  public var fieldBytes = 8 << 10
  /// Bytes of the whole header.
  public var headerBytes = 16 << 10
  /// Header fields of a request.
  public var headerFields = 64
  /// Passwords that wait for their check; further ones get 429.
  public var waitingPasswords = 8
  /// The age of the newest page beyond which the program isn't healthy.
  public var pageAge = Duration.seconds(15)

  public init() {}
}
