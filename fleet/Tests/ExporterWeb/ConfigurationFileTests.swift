// SPDX-License-Identifier: Apache-2.0
import Testing

import ExporterWeb

@Suite struct ConfigurationFileTests {
  private static let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

  private static func read(_ text: String) throws(YAMLFault) -> ConfigurationFile {
    try ConfigurationFile(Array(text.utf8), folder: "/etc/x")
  }

  @Test func everything() throws {
    let file = try Self.read(
      """
      # a comment
      tls_server_config:
        cert_file: server.crt
        key_file: /keys/server.key
        client_auth_type: "RequireAndVerifyClientCert"
        client_ca_file: ca.crt
        client_allowed_sans: [prometheus.example, 10.0.0.1]
        min_version: TLS12
        max_version: TLS13
        cipher_suites:
          - TLS_AES_128_GCM_SHA256
          - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        prefer_server_cipher_suites: true
        curve_preferences: [X25519, CurveP256]
      http_server_config:
        http2: true
        headers:
          X-Frame-Options: deny
          Strict-Transport-Security: max-age=60
          X-XSS-Protection:
      basic_auth_users:
        alice: \(Self.hash)
        bob: '\(Self.hash)'
      rate_limit:
        interval: 250ms
        burst: 20
      """)
    let tls = try #require(file.tls)
    #expect(tls.files == ["/etc/x/server.crt", "/keys/server.key", "/etc/x/ca.crt"])
    #expect(tls.clientAuthentication == .requireAndVerify)
    #expect(tls.clientNames == ["prometheus.example", "10.0.0.1"])
    #expect(tls.ciphers == [.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256])
    #expect(tls.curves == [.x25519, .secp256r1])
    #expect(file.headers.map(\.name).sorted() == ["Strict-Transport-Security", "X-Frame-Options"])
    #expect(file.users.keys.sorted() == ["alice", "bob"])
    #expect(file.rateLimit == RateLimit(interval: .milliseconds(250), burst: 20))
  }

  @Test(arguments: [
    "", "# nothing", "---", "{}", "~", "tls_server_config:\nbasic_auth_users: {}", "rate_limit: {interval: 0}",
  ])
  func nothing(text: String) throws {
    let file = try Self.read(text)
    #expect(file.tls == nil && file.users.isEmpty && file.headers.isEmpty && file.rateLimit == nil)
  }

  @Test func anchors() throws {
    let file = try Self.read("basic_auth_users:\n  a: &one \(Self.hash)\n  b: *one\n")
    #expect(file.users.count == 2)
  }

  /// Each fault has its line.
  @Test(arguments: [
    ("a: 1", 1, "no key 'a'"),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  certfile: c", 4, "no key 'certfile'"),
    ("tls_server_config:\n  key_file: b", 2, "lacks cert_file"),
    ("tls_server_config:\n  cert_file: b", 2, "lacks key_file"),
    ("tls_server_config:\n  cert: a\n  cert_file: b\n  key_file: c", 2, "both given"),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS14", 4, "there are TLS10"),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  cipher_suites: [RC4]", 4, "isn't known"),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: Maybe", 4, "NoClientCert"),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: RequireAndVerifyClientCert", 2,
      "client_ca_file"
    ),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  client_ca_file: c", 4, "without effect"),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  client_allowed_sans: [x]", 2, "client_allowed_sans needs"),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  prefer_server_cipher_suites: false", 4, "only be true"),
    ("http_server_config:\n  http2: maybe", 2, "true or false"),
    ("http_server_config:\n  headers:\n    X-Powered-By: x", 3, "no key 'X-Powered-By'"),
    ("http_server_config:\n  headers:\n    X-Frame-Options: always", 3, "deny or sameorigin"),
    ("http_server_config:\n  headers:\n    X-XSS-Protection: \"a\\r\\nSet-Cookie: b\"", 3, "printable"),
    ("basic_auth_users:\n  a: secret", 2, "bcrypt"),
    ("basic_auth_users:\n  a: $2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", 2, "cost of 31"),
    ("basic_auth_users: [a]", 1, "must be a mapping"),
    ("basic_auth_users:\n  a: 1\n  a: 2", 3, "twice"),
    ("rate_limit:\n  interval: fast", 2, "interval"),
    ("rate_limit:\n  interval: 1s\n  burst: 0", 3, "burst"),
    ("a: b\nc: [", 3, ""),
    ("a: *x", 1, "isn't defined"),
    ("{}\n---\n{}", 2, "second document"),
    ("\t", 1, ""),
  ])
  func faults(text: String, line: Int, part: String) throws {
    let fault = try #require(throws: YAMLFault.self) { try Self.read(text) }
    #expect(fault.message.contains(part), "\(fault)")
    #expect(fault.line == line, "\(fault)")
    #expect(!fault.message.contains("secret"), "a password shows")
  }

  @Test func nestingAndAliasesAreBounded() throws {
    let deep = try #require(throws: YAMLFault.self) { try Self.read(String(repeating: "[", count: 100_000)) }
    #expect(deep.message.contains("nested"))
    var laughs = "a: &a0 [x, x]\n"
    for level in 1...40 { laughs += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    let fault = try #require(throws: YAMLFault.self) { try Self.read(laughs) }
    #expect(fault.message.contains("no key"))
  }

  /// Whatever the bytes are, reading them ends with a file or a fault.
  @Test func randomBytes() {
    var generator = Seeded()
    let pieces = [
      "tls_server_config", ":", " ", "\n", "-", "[", "]", "{", "}", "&a", "*a", "\"", "'", "|", "#", "%", "\u{0}", "é",
      "!!", ",",
    ]
    for _ in 0..<2000 {
      var text = ""
      for _ in 0..<Int.random(in: 0...30, using: &generator) { text += pieces.randomElement(using: &generator) ?? "" }
      _ = try? Self.read(text)
    }
  }
}

/// SplitMix64, from a fixed start: a failure repeats.
private struct Seeded: RandomNumberGenerator {
  private var state: UInt64 = 20261130

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
