// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// What the connections of one server share.
///
/// Unchecked: it is made by `start()` and then used on the event loop only.
final class Serving: @unchecked Sendable {
  let configuration: LiveConfiguration
  let table: ConnectionTable
  let site: Site
  let statistics: StatisticsBox
  private let checker: PasswordChecker
  private let limits: WebLimits

  init(
    _ web: WebConfiguration, pages: PublishedPage, configuration: LiveConfiguration, loop: any EventLoop,
    statistics: StatisticsBox
  ) {
    self.configuration = configuration
    self.statistics = statistics
    limits = web.limits
    checker = PasswordChecker(loop: loop, limit: web.limits.waitingPasswords)
    let table = ConnectionTable(limit: web.limits.connections, loop: loop, statistics: statistics)
    self.table = table
    site = Site(
      web, pages: pages, configuration: configuration, checker: checker, statistics: statistics,
      makeRoom: table.dropSlowReader)
  }

  /// Reads the file again if it has changed.
  func refresh() {
    let hasChanged = configuration.refresh(at: .now())
    let isUpToDate = configuration.isUpToDate
    statistics.update { $0.configurationReloadSucceeded = isUpToDate }
    guard hasChanged else { return }
    checker.keepOnly(configuration.current.users)
    table.closeIdle(before: configuration.current.generation)
  }

  /// Sets a new connection up.
  func initialize(_ channel: any Channel) throws {
    refresh()
    let connection = Connection(
      channel: channel, peer: channel.remoteAddress?.ipAddress ?? "", generation: configuration.current.generation,
      limits: limits)
    guard table.add(connection) else {
      channel.close(promise: nil)
      return
    }
    let tls = configuration.current.tls
    var bounds = NIOHTTPDecoderLimitConfiguration()
    bounds.maxHeaderFieldSize = limits.fieldBytes
    bounds.maxHeaderListSize = limits.headerBytes
    bounds.maxHeaderFieldCount = limits.headerFields
    let pipeline = channel.pipeline.syncOperations
    if let tls { try pipeline.addHandler(tls.handler()) }
    try pipeline.addHandler(ByteWatch(connection))
    try pipeline.addHandler(HTTPResponseEncoder())
    try pipeline.addHandler(
      ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: bounds)))
    try pipeline.addHandler(RequestHandler(self, connection, tls: tls))
  }

  func stop() {
    table.closeAll()
    checker.stop()
  }
}
