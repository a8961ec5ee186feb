// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import NIOPosix

/// Serves the newest page over HTTP or HTTPS, with one thread for all clients.
///
/// Nothing that a client does reaches the thread that publishes: the page is copied by reference, and what clients can cost
/// in memory, time and connections is bounded by ``WebLimits``.
public final class WebServer {
  private let web: WebConfiguration
  private let pages: PublishedPage
  private let configuration: LiveConfiguration
  private let box = StatisticsBox()
  private var sockets: [CInt]
  private var group: MultiThreadedEventLoopGroup?
  private var serving: Serving?
  private var channels: [any Channel] = []

  /// Where it listens; with port 0, the port that the kernel chose.
  public let addresses: [ListenAddress]

  /// Opens the sockets and reads the configuration file, so that what is wrong shows before anything starts.
  /// - Parameter log: takes a line for people; called on the thread that serves.
  /// - Throws: ``WebError``.
  public init(
    configuration web: WebConfiguration, pages: PublishedPage, log: @escaping @Sendable (String) -> Void
  ) throws(WebError) {
    self.web = web
    self.pages = pages
    configuration = try LiveConfiguration(path: web.file, log: log)
    sockets = web.usesSystemdSockets ? try ListeningSockets.fromSystemd() : try ListeningSockets.open(web.addresses)
    addresses = sockets.compactMap(ListeningSockets.address(of:))
    let scheme = configuration.current.tls == nil ? "http" : "https"
    urls = addresses.map { "\(scheme)://\($0.host == nil ? "localhost" : "")\($0)" }
  }

  deinit {
    for descriptor in sockets { close(descriptor) }
  }

  /// Begins to accept, on a thread of its own.
  ///
  /// - Parameter prepare: called on that thread before it accepts. Capabilities are a thread's own, so this is where to give
  ///   them up.
  /// - Throws: what the kernel refuses.
  public func start(onThread prepare: (@Sendable () -> Void)? = nil) throws {
    guard group == nil else { return }
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    self.group = group
    let loop = group.next()
    if let prepare { try loop.submit { prepare() }.wait() }
    let serving = Serving(web, pages: pages, configuration: configuration, loop: loop, statistics: box)
    self.serving = serving
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.maxMessagesPerRead, value: 16)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try serving.initialize(channel) }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      // A request is small; what one connection can make the server hold is small too.
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
    while let descriptor = sockets.first {
      sockets.removeFirst()  // the channel closes it
      channels.append(try bootstrap.withBoundSocket(descriptor).wait())
    }
  }

  /// Closes all connections and ends the thread.
  public func stop() {
    guard let group, let serving else { return }
    for channel in channels { try? channel.close().wait() }
    channels = []
    try? group.next().submit { serving.stop() }.wait()
    try? group.syncShutdownGracefully()
    self.group = nil
    self.serving = nil
  }

  /// Where it answers at the start: `https://` if the configuration has TLS.
  public let urls: [String]

  /// What it has done so far. May be called on any thread.
  public var statistics: WebStatistics { box.snapshot }
}
