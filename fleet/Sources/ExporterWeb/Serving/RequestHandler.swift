// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import NIOSSL

/// Answers a connection's requests, one at a time: the next one is read when the response has left for the kernel, so a
/// client that doesn't read holds one piece of one page in memory.
final class RequestHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// Bytes given to the socket, and to TLS, at a time.
  private static let pieceBytes = 64 << 10

  private let server: Serving
  private let connection: Connection
  private let tls: TLSContext?
  /// Requests that arrived with the one being answered, in one piece.
  private var waiting: [HTTPRequestHead] = []
  private var heldRead = false
  private var hasRequest = false
  private var context: ChannelHandlerContext?

  init(_ server: Serving, _ connection: Connection, tls: TLSContext?) {
    self.server = server
    self.connection = connection
    self.tls = tls
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    server.table.remove(connection)
    context.fireChannelInactive()
  }

  /// Holds reads back while a request is answered.
  func read(context: ChannelHandlerContext) {
    if connection.phase == .answering { heldRead = true } else { context.read() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }  // bodies are dropped
    switch connection.phase {
    case .answering: waiting.append(head)
    case .lingering: break
    case .opening, .idle, .reading: begin(head, context)
    }
  }

  private func begin(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    connection.enter(.answering)
    if let tls, !hasRequest, !tls.clientNames.isEmpty {
      let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
      guard tls.allows(handler?.peerCertificate) else {
        server.statistics.countDrop(.tls)
        context.close(promise: nil)
        return
      }
    }
    hasRequest = true
    server.refresh()
    server.site.answer(request) { [self] response in
      guard let context = self.context, connection.phase == .answering else {
        if response.isScrape { server.site.scrapeEnded() }
        return
      }
      send(response, to: request, context)
    }
  }

  private func send(_ response: Response, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
    let hasBody =
      request.headers.contains(name: "Transfer-Encoding")
      || (request.headers.first(name: "Content-Length") ?? "0") != "0"
    let staysOpen = request.isKeepAlive && !hasBody && connection.generation == server.configuration.current.generation
    var head = HTTPResponseHead(version: request.version, status: response.status, headers: response.headers)
    head.headers.replaceOrAdd(name: "Content-Length", value: String(response.body.readableBytes))
    if !staysOpen {
      head.headers.replaceOrAdd(name: "Connection", value: "close")
    } else if request.version == .http1_0 {
      head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
    }
    connection.isScraping = response.isScrape
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = request.method == .HEAD ? ByteBuffer() : response.body
    sendPiece(of: body, context) { [self] isSent in
      if response.isScrape { server.site.scrapeEnded() }
      guard isSent, let context = self.context else { return }
      if staysOpen { next(context) } else { end(context) }
    }
  }

  /// Sends the next piece, and the others when it has left.
  private func sendPiece(of body: ByteBuffer, _ context: ChannelHandlerContext, done: @escaping (Bool) -> Void) {
    var rest = body
    let promise = context.eventLoop.makePromise(of: Void.self)
    if let piece = rest.readSlice(length: min(Self.pieceBytes, rest.readableBytes)), piece.readableBytes > 0 {
      context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: rest.readableBytes > 0 ? promise : nil)
    }
    let isLast = rest.readableBytes == 0
    if isLast { context.write(wrapOutboundOut(.end(nil)), promise: promise) }
    let loop = context.eventLoop.assumeIsolated()
    let remaining = rest
    promise.futureResult.assumeIsolated().whenComplete { [self] result in
      // Not at once: a socket that takes everything would make one call inside the other.
      loop.execute { [self] in
        guard case .success = result, let context = self.context else { return done(false) }
        if isLast { done(true) } else { sendPiece(of: remaining, context, done: done) }
      }
    }
    context.flush()
  }

  private func next(_ context: ChannelHandlerContext) {
    connection.enter(.idle)
    if !waiting.isEmpty { return begin(waiting.removeFirst(), context) }
    resumeReading(context)
  }

  /// Ends this side. What the client still sends is dropped for a moment, because closing a socket with unread bytes
  /// resets the connection, and the client might lose the response.
  private func end(_ context: ChannelHandlerContext) {
    connection.enter(.lingering)
    waiting = []
    context.close(mode: .output, promise: nil)
    resumeReading(context)
  }

  private func resumeReading(_ context: ChannelHandlerContext) {
    guard heldRead else { return }
    heldRead = false
    context.read()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError, connection.phase != .lingering {
      server.statistics.countDrop(.malformed)
      guard connection.phase != .answering else { return context.close(promise: nil) }
      let isTooLarge = error == .headerOverflow
      let response = Response(
        isTooLarge ? .requestHeaderFieldsTooLarge : .badRequest,
        isTooLarge ? "The request's header is too large." : "Not HTTP/1.1.")
      connection.enter(.answering)
      var head = HTTPResponseHead(version: .http1_1, status: response.status, headers: response.headers)
      head.headers.replaceOrAdd(name: "Content-Length", value: String(response.body.readableBytes))
      head.headers.replaceOrAdd(name: "Connection", value: "close")
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      sendPiece(of: response.body, context) { [self] isSent in
        if isSent, let context = self.context { end(context) }
      }
      return
    }
    if tls != nil, !hasRequest { server.statistics.countDrop(.tls) }
    context.close(promise: nil)
  }
}
