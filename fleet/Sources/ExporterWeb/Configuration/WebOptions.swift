// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The options of exporter-toolkit, by its names, and the bounds of what clients can cost.
public struct WebOptions: ParsableArguments {
  /// Prometheus' list of default ports is full from 9100 to 9999. This one is above it, below the ephemeral ports, and
  /// not in Debian's /etc/services.
  public static let defaultPort: UInt16 = 10435

  @Option(
    name: .customLong("web.listen-address"),
    help: ArgumentHelp(
      "Listen on this address and port; repeatable. :PORT is every address of this host (default: 127.0.0.1:\(defaultPort)).",
      valueName: "host:port"))
  public var listenAddresses: [String] = []

  @Option(
    name: .customLong("web.config.file"),
    help: ArgumentHelp(
      "Take TLS, users and headers from this YAML file, in the format of Prometheus' exporter-toolkit. It is read again when it changes.",
      valueName: "file"))
  public var configurationFile: String?

  @Flag(
    name: .customLong("web.systemd-socket"),
    help: "Listen on the sockets that systemd passes, instead of --web.listen-address.")
  public var usesSystemdSockets = false

  @Option(
    name: .customLong("web.max-connections"),
    help: ArgumentHelp(
      "Keep at most this many connections open; one more closes the longest idle one.", valueName: "number"))
  public var maximumConnections = WebLimits().connections

  @Option(
    name: .customLong("web.max-requests"),
    help: ArgumentHelp("Answer at most this many scrapes at a time; further ones get 503.", valueName: "number"))
  public var maximumScrapes = WebLimits().scrapes

  public init() {}

  /// The configuration of a server with these options.
  /// - Throws: ``WebError`` of kind `usage`.
  public func configuration(landing: LandingPage) throws(WebError) -> WebConfiguration {
    guard (1...100_000).contains(maximumConnections) else {
      throw WebError(.usage, "--web.max-connections \(maximumConnections): give a number from 1 to 100000")
    }
    guard (1...100_000).contains(maximumScrapes) else {
      throw WebError(.usage, "--web.max-requests \(maximumScrapes): give a number from 1 to 100000")
    }
    var limits = WebLimits()
    limits.connections = maximumConnections
    limits.scrapes = maximumScrapes
    var addresses: [ListenAddress] = []
    for text in listenAddresses {
      guard let address = ListenAddress(text) else {
        throw WebError(
          .usage,
          "--web.listen-address '\(text)': write a numeric address as HOST:PORT, [IPv6]:PORT, or :PORT for all of this host's"
        )
      }
      addresses.append(address)
    }
    if addresses.isEmpty { addresses = [ListenAddress(host: "127.0.0.1", port: Self.defaultPort)] }
    return WebConfiguration(
      addresses: addresses, usesSystemdSockets: usesSystemdSockets, file: configurationFile, limits: limits,
      landing: landing)
  }
}
