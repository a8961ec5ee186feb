// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Real sockets on the real kernel. One test at a time, each in network namespaces of its own.
@Suite(.serialized, .oneAtATime, .enabled(if: Privilege.canTrace, "needs root and kernel BTF"))
enum Privileged {
  /// A file of these tests.
  static func file(_ name: String) -> String { TestFile.url(name).path }

  /// A Python that has pandas and duckdb.
  static var python: String? { ProcessInfo.processInfo.environment["TCPSTATE_TEST_PYTHON"] }

  static func peer(in namespace: NetworkNamespace, wrapper: [String] = []) throws -> Peer {
    try Peer(file("peers/agent.py"), in: namespace, wrapper: wrapper)
  }
}

/// A client and a server, two processes in one namespace.
struct Pair {
  let namespace: NetworkNamespace
  let client: Peer
  let server: Peer

  init() throws {
    namespace = try NetworkNamespace()
    client = try Privileged.peer(in: namespace)
    server = try Privileged.peer(in: namespace)
  }

  /// Listens, connects and accepts; both ends call their socket `c`.
  ///
  /// - Returns: the server's port and the client's answer.
  @discardableResult
  func connect(_ address: String = "127.0.0.1") throws -> (port: Int, connected: Peer.Answer) {
    let port = try server.ask("listen l \(address)").port
    return (port, try connect(to: port, address))
  }

  func connect(to port: Int, _ address: String = "127.0.0.1") throws -> Peer.Answer {
    let connected = try client.ask("connect c \(address) \(port)")
    try server.ask("accept l c")
    return connected
  }

  /// The textbook's close, begun by one end.
  func close(first: Peer, then second: Peer) throws {
    try first.ask("close c")
    try second.ask("eof c")
    try second.ask("close c")
  }
}

/// What comes of a connection, each end seen for itself.
enum Life {
  static let client = ["closed→syn_sent", "syn_sent→established"]
  static let server = ["listen→syn_received", "syn_received→established"]
  static let activeClose = ["established→fin_wait_1", "fin_wait_1→fin_wait_2", "fin_wait_2→time_wait"]
  static let passiveClose = ["established→close_wait", "close_wait→last_ack", "last_ack→closed"]
}

/// A file or folder of a test's own, removed with this value.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("tcpstate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
