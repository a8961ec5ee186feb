// SPDX-License-Identifier: Apache-2.0

/// What a ``WebServer`` listens on and what it shows.
public struct WebConfiguration: Sendable {
  /// Listened on unless sockets are passed by systemd.
  public var addresses: [ListenAddress]
  /// Whether the sockets are those that systemd passes (sd_listen_fds(3)).
  public var usesSystemdSockets: Bool
  /// The path of a file in exporter-toolkit's format; nil for neither TLS nor users.
  public var file: String?
  public var limits: WebLimits
  public var landing: LandingPage

  public init(
    addresses: [ListenAddress], usesSystemdSockets: Bool = false, file: String? = nil, limits: WebLimits = WebLimits(),
    landing: LandingPage
  ) {
    self.addresses = addresses
    self.usesSystemdSockets = usesSystemdSockets
    self.file = file
    self.limits = limits
    self.landing = landing
  }
}
