// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// A file in the format of exporter-toolkit: TLS, users, headers and a limit of the rate.
///
/// Source: docs/web-configuration.md of github.com/prometheus/exporter-toolkit. Not supported: HTTP/2, which a scrape
/// doesn't gain from.
package struct ConfigurationFile {
  package var tls: TLSSettings?
  package var users: [String: PasswordHash] = [:]
  /// Added to each response.
  package var headers: [(name: String, value: String)] = []
  package var rateLimit: RateLimit?

  /// Nothing of it: what holds without a file.
  package init() {}

  /// - Throws: ``YAMLFault`` with the line.
  package init(_ bytes: [UInt8], folder: String) throws(YAMLFault) {
    guard let root = try YAMLParser.document(bytes) else { return }
    var mapping = try YAMLMapping(root, name: "the file")
    if let node = mapping.take("tls_server_config") { tls = try TLSSettings(node, folder: folder) }
    if let node = mapping.take("http_server_config") { try takeHTTP(node) }
    if let node = mapping.take("basic_auth_users") { try takeUsers(node) }
    if let node = mapping.take("rate_limit") { try takeRate(node) }
    try mapping.finish()
  }

  private mutating func takeHTTP(_ node: YAMLNode) throws(YAMLFault) {
    var mapping = try YAMLMapping(node, name: "http_server_config")
    // Whatever it says, clients agree on HTTP/1.1.
    _ = try mapping.boolean("http2")
    if let node = mapping.take("headers") {
      var headers = try YAMLMapping(node, name: "headers")
      for (name, values) in Self.headerValues {
        guard let value = try headers.string(name), !value.text.isEmpty else { continue }
        guard values.isEmpty || values.contains(value.text) else {
          throw YAMLFault(line: value.line, message: "\(name) must be \(values.joined(separator: " or "))")
        }
        guard value.text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
          throw YAMLFault(line: value.line, message: "\(name) must be printable ASCII")
        }
        self.headers.append((name, value.text))
      }
      try headers.finish()
    }
    try mapping.finish()
  }

  private static let headerValues: [(String, [String])] = [
    ("Content-Security-Policy", []), ("X-Frame-Options", ["deny", "sameorigin"]),
    ("X-Content-Type-Options", ["nosniff"]),
    ("X-XSS-Protection", []), ("Strict-Transport-Security", []),
  ]

  private mutating func takeUsers(_ node: YAMLNode) throws(YAMLFault) {
    var mapping = try YAMLMapping(node, name: "basic_auth_users")
    for entry in mapping.rest() {
      // Neither the hash nor what may be a password in plain text belongs in a log.
      guard case .scalar(let text, _) = entry.node.value, let hash = PasswordHash(text) else {
        throw YAMLFault(
          line: entry.line,
          message:
            "the password of '\(entry.key)' isn't hashed with bcrypt; make one with: htpasswd -nBC 10 '' | tr -d ':\\n'"
        )
      }
      guard hash.cost <= PasswordHash.maximumCost else {
        throw YAMLFault(
          line: entry.line,
          message: "the password of '\(entry.key)' has a cost of \(hash.cost), which would take minutes; use 10 to 12")
      }
      guard !entry.key.contains(":") else {
        throw YAMLFault(line: entry.line, message: "a user's name can't contain a colon")
      }
      users[entry.key] = hash
    }
  }

  private mutating func takeRate(_ node: YAMLNode) throws(YAMLFault) {
    var mapping = try YAMLMapping(node, name: "rate_limit")
    let interval = try mapping.string("interval")
    let burst = try mapping.string("burst")
    try mapping.finish()
    guard let interval, let amount = Self.duration(interval.text) else {
      throw YAMLFault(line: interval?.line ?? node.line, message: "interval must be a time such as 250ms, 1s or 1m")
    }
    if amount.nanoseconds == 0 { return }
    let count = burst.map { Int($0.text) ?? 0 } ?? 1
    guard (1...1_000_000).contains(count) else {
      throw YAMLFault(line: burst?.line ?? node.line, message: "burst must be a number of requests, at least 1")
    }
    rateLimit = RateLimit(interval: amount, burst: count)
  }

  /// Up to a day, in ms, s, m or h.
  private static func duration(_ text: String) -> TimeAmount? {
    if text == "0" { return .zero }
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits), number <= 86_400_000 else { return nil }
    let amount: TimeAmount
    switch text.dropFirst(digits.count) {
    case "ms": amount = .milliseconds(number)
    case "s": amount = .seconds(number)
    case "m": amount = .minutes(number)
    case "h": amount = .hours(number)
    default: return nil
    }
    return amount <= .hours(24) ? amount : nil
  }
}
