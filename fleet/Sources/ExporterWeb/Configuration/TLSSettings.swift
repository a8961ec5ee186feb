// SPDX-License-Identifier: Apache-2.0
import NIOSSL

/// The part `tls_server_config` of the file.
package struct TLSSettings {
  /// Go's tls.ClientAuthType.
  package enum ClientAuthentication: String, CaseIterable {
    case none = "NoClientCert"
    case request = "RequestClientCert"
    case requireAny = "RequireAnyClientCert"
    case verifyIfGiven = "VerifyClientCertIfGiven"
    case requireAndVerify = "RequireAndVerifyClientCert"

    var verifies: Bool { self == .verifyIfGiven || self == .requireAndVerify }
  }

  /// A certificate or key in PEM: a file, or in the configuration itself.
  enum Source: Equatable {
    case file(String, line: Int)
    case inline(String, line: Int)
  }

  var certificate: Source
  var key: Source
  package var clientAuthentication = ClientAuthentication.none
  var clientAuthority: Source?
  /// If not empty, a verified client certificate must have one of these as a subject alternative name.
  package var clientNames: [String] = []
  var minimumVersion = TLSVersion.tlsv12
  var maximumVersion = TLSVersion.tlsv13
  package var ciphers = TLSNames.defaultCiphers
  package var curves: [NIOTLSCurve] = []

  /// folder: what relative paths are relative to.
  init(_ node: YAMLNode, folder: String) throws(YAMLFault) {
    var mapping = try YAMLMapping(node, name: "tls_server_config")
    guard let certificate = try Self.source("cert", in: &mapping, folder: folder) else {
      throw YAMLFault(line: node.line, message: "tls_server_config lacks cert_file")
    }
    guard let key = try Self.source("key", in: &mapping, folder: folder) else {
      throw YAMLFault(line: node.line, message: "tls_server_config lacks key_file")
    }
    self.certificate = certificate
    self.key = key
    try takeClients(&mapping, folder: folder)
    if let name = try mapping.string("min_version") {
      minimumVersion = try TLSNames.value(name, of: "min_version", among: TLSNames.versions)
    }
    if let name = try mapping.string("max_version") {
      maximumVersion = try TLSNames.value(name, of: "max_version", among: TLSNames.versions)
    }
    guard Self.rank(minimumVersion) <= Self.rank(maximumVersion) else {
      throw YAMLFault(line: node.line, message: "min_version is above max_version")
    }
    try takeCiphers(&mapping)
    try mapping.finish()
  }

  private mutating func takeClients(_ mapping: inout YAMLMapping, folder: String) throws(YAMLFault) {
    if let name = try mapping.string("client_auth_type") {
      clientAuthentication = try TLSNames.value(
        name, of: "client_auth_type", among: ClientAuthentication.allCases.map { ($0.rawValue, $0) })
    }
    clientAuthority = try Self.source("client_ca", in: &mapping, folder: folder)
    clientNames = try mapping.strings("client_allowed_sans").map(\.text)
    if clientAuthentication.verifies, clientAuthority == nil {
      throw YAMLFault(line: mapping.line, message: "\(clientAuthentication.rawValue) needs client_ca_file")
    }
    if !clientAuthentication.verifies, let authority = clientAuthority {
      throw YAMLFault(
        line: authority.line,
        message:
          "client_ca_file is without effect unless client_auth_type is RequireAndVerifyClientCert or VerifyClientCertIfGiven"
      )
    }
    if !clientNames.isEmpty, clientAuthentication != .requireAndVerify {
      throw YAMLFault(
        line: mapping.line, message: "client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert")
    }
  }

  private mutating func takeCiphers(_ mapping: inout YAMLMapping) throws(YAMLFault) {
    let names = try mapping.strings("cipher_suites")
    if !names.isEmpty {
      ciphers = []
      for name in names where !TLSNames.fixedCiphers.contains(name.text) {
        ciphers.append(try TLSNames.value(name, of: "cipher suite", among: TLSNames.ciphers))
      }
      guard !ciphers.isEmpty || minimumVersion == .tlsv13 else {
        throw YAMLFault(
          line: names[0].line, message: "cipher_suites names none for TLS 1.2; add one, or set min_version: TLS13")
      }
    }
    if let preferred = try mapping.boolean("prefer_server_cipher_suites"), !preferred.value {
      throw YAMLFault(line: preferred.line, message: "prefer_server_cipher_suites can only be true")
    }
    for name in try mapping.strings("curve_preferences") {
      curves.append(try TLSNames.value(name, of: "curve", among: TLSNames.curves))
    }
  }

  private static func source(
    _ key: String, in mapping: inout YAMLMapping, folder: String
  ) throws(YAMLFault) -> Source? {
    let file = try mapping.string("\(key)_file")
    let inline = try mapping.string(key)
    if let file {
      if let inline { throw YAMLFault(line: inline.line, message: "\(key) and \(key)_file are both given") }
      return .file(file.text.hasPrefix("/") ? file.text : "\(folder)/\(file.text)", line: file.line)
    }
    return inline.map { .inline($0.text, line: $0.line) }
  }

  private static func rank(_ version: TLSVersion) -> Int {
    TLSNames.versions.firstIndex { $0.1 == version } ?? 0
  }

  /// The files that it names.
  package var files: [String] {
    [certificate, key, clientAuthority].compactMap { source in
      if case .file(let path, _)? = source { path } else { nil }
    }
  }
}

extension TLSSettings.Source {
  var line: Int {
    switch self {
    case .file(_, let line), .inline(_, let line): line
    }
  }

  /// What messages call it.
  func name(_ kind: String) -> String {
    switch self {
    case .file(let path, _): path
    case .inline: "the \(kind) in the file"
    }
  }

  /// The PEM text.
  func bytes() throws(YAMLFault) -> [UInt8] {
    switch self {
    case .inline(let text, _): return Array(text.utf8)
    case .file(let path, let line):
      do { return try SmallFile.read(path) } catch {
        throw YAMLFault(line: line, message: "\(path): \(errorText(error.number))")
      }
    }
  }
}
