// SPDX-License-Identifier: Apache-2.0
import NIOSSL

/// TLS as the file has it, with its certificates loaded.
struct TLSContext: Sendable {
  private let context: NIOSSLContext
  /// Whether a client certificate is taken without any check, as Go's RequestClientCert and RequireAnyClientCert do.
  private let acceptsAnyClient: Bool
  /// If not empty, those that a client certificate must have one of.
  let clientNames: [String]

  init(_ settings: TLSSettings) throws(YAMLFault) {
    acceptsAnyClient = [.request, .requireAny].contains(settings.clientAuthentication)
    clientNames = settings.clientNames
    let chain = try Self.certificates(settings.certificate, kind: "certificate")
    let keyBytes = try settings.key.bytes()
    let key: NIOSSLPrivateKey
    do { key = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem) } catch {
      throw YAMLFault(
        line: settings.key.line, message: "\(settings.key.name("key")): no private key in PEM without a passphrase")
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = settings.minimumVersion
    configuration.maximumTLSVersion = settings.maximumVersion
    if !settings.ciphers.isEmpty { configuration.cipherSuiteValues = settings.ciphers }
    if !settings.curves.isEmpty { configuration.curves = settings.curves }
    configuration.applicationProtocols = ["http/1.1"]
    configuration.shutdownTimeout = .seconds(1)
    switch settings.clientAuthentication {
    case .none: break
    case .request, .verifyIfGiven: configuration.certificateVerification = .optionalVerification
    case .requireAny, .requireAndVerify: configuration.certificateVerification = .noHostnameVerification
    }
    if let authority = settings.clientAuthority {
      configuration.trustRoots = .certificates(try Self.certificates(authority, kind: "CA certificate"))
    } else {
      configuration.trustRoots = .certificates([])
    }
    do { context = try NIOSSLContext(configuration: configuration) } catch {
      throw YAMLFault(
        line: settings.certificate.line,
        message:
          "\(settings.certificate.name("certificate")): the key isn't this certificate's, or the settings don't fit together"
      )
    }
  }

  private static func certificates(
    _ source: TLSSettings.Source, kind: String
  ) throws(YAMLFault) -> [NIOSSLCertificate] {
    let bytes = try source.bytes()
    guard let found = try? NIOSSLCertificate.fromPEMBytes(bytes), !found.isEmpty else {
      throw YAMLFault(line: source.line, message: "\(source.name(kind)): no certificate in PEM")
    }
    return found
  }

  func handler() -> NIOSSLServerHandler {
    guard acceptsAnyClient else { return NIOSSLServerHandler(context: context) }
    return NIOSSLServerHandler(
      context: context,
      customVerificationCallback: { _, promise in
        promise.succeed(.certificateVerified)
      })
  }

  /// Whether a client with this certificate may connect, as far as names go.
  func allows(_ certificate: NIOSSLCertificate?) -> Bool {
    guard !clientNames.isEmpty else { return true }
    guard let certificate else { return false }
    return certificate._subjectAlternativeNames().contains { name in
      clientNames.contains { Self.matches(name, $0) }
    }
  }

  private static func matches(_ name: _SubjectAlternativeName, _ wanted: String) -> Bool {
    switch name.nameType {
    case .dnsName, .email, .uri: name.contents.elementsEqual(wanted.utf8)
    case .ipAddress: IPBytes.parse(wanted).map { name.contents.elementsEqual($0) } ?? false
    default: false
    }
  }
}
