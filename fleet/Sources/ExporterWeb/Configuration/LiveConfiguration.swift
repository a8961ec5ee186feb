// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore

/// The configuration file as it is now: read again when it, a certificate or a key has changed. Used on one thread.
final class LiveConfiguration {
  /// What holds for a request.
  struct Current {
    var tls: TLSContext?
    var users: [String: PasswordHash] = [:]
    var headers: [(name: String, value: String)] = []
    var rateLimit: RateLimit?
    /// Counts the changes; connections of an earlier one end after their response.
    var generation = 0
  }

  private(set) var current = Current()
  /// Whether the newest version of the file is in use. A wrong one leaves the last right one in place.
  private(set) var isUpToDate = true

  private let path: String?
  private let log: @Sendable (String) -> Void
  /// The stamps at the last reading, of the file and of those that it names.
  private var stamps: [String: SmallFile.Stamp?] = [:]
  private var nextLook = NIODeadline.distantPast
  private static let lookInterval = TimeAmount.seconds(1)

  /// - Throws: if the file is wrong now, at the start.
  init(path: String?, log: @escaping @Sendable (String) -> Void) throws(WebError) {
    self.path = path
    self.log = log
    guard path != nil else { return }
    try read()
  }

  /// Looks for changes, at most once a second.
  /// - Returns: whether there was one and it holds.
  func refresh(at now: NIODeadline) -> Bool {
    guard let path, now >= nextLook else { return false }
    nextLook = now + Self.lookInterval
    guard stamps.contains(where: { SmallFile.Stamp($0.key) != $0.value }) else { return false }
    do {
      try read()
      isUpToDate = true
      current.generation += 1
      log("\(path): read again")
      return true
    } catch {
      isUpToDate = false
      log("\(error.message); the configuration before this change stays in use")
      return false
    }
  }

  private func read() throws(WebError) {
    guard let path else { return }
    // Stamped before the reading: a change in between is seen at the next look.
    stamps = [path: SmallFile.Stamp(path)]
    let bytes: [UInt8]
    do { bytes = try SmallFile.read(path) } catch {
      let kind: WebError.Kind = [EACCES, EPERM].contains(error.number) ? .permission : .unreadable
      throw WebError(kind, "cannot read --web.config.file \(path): \(errorText(error.number))")
    }
    do {
      let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
      let file = try ConfigurationFile(bytes, folder: folder)
      for name in file.tls?.files ?? [] { stamps[name] = SmallFile.Stamp(name) }
      let tls: TLSContext? = if let settings = file.tls { try TLSContext(settings) } else { nil }
      current.tls = tls
      current.users = file.users
      current.headers = file.headers
      current.rateLimit = file.rateLimit
    } catch {
      throw WebError(.unreadable, "\(path):\(error.line): \(error.message)")
    }
  }
}
