// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Notices the first byte of a request, from which its header has so much time, and drops what comes after the end.
final class ByteWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let connection: Connection
  /// Of what is dropped; a client that sends more doesn't read the response.
  private var dropped = 0
  private static let maximumDropped = 256 << 10

  init(_ connection: Connection) {
    self.connection = connection
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch connection.phase {
    case .lingering:
      dropped += unwrapInboundIn(data).readableBytes
      if dropped > Self.maximumDropped { context.close(promise: nil) }
      return
    case .idle: connection.enter(.reading)
    case .opening, .reading, .answering: break
    }
    context.fireChannelRead(data)
  }
}
