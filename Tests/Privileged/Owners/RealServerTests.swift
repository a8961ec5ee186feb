// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// Servers as they are: each says which of its processes has answered.
  @Suite struct RealServerTests {
    private static let count = 40

    private static func isInstalled(_ program: String) -> Bool {
      ["/usr/sbin", "/usr/bin"].contains { access("\($0)/\(program)", X_OK) == 0 }
    }

    @Test(.enabled(if: isInstalled("nginx"), "needs nginx")) func nginx() throws { try check("nginx") }
    @Test(.enabled(if: isInstalled("gunicorn"), "needs gunicorn")) func gunicorn() throws { try check("gunicorn") }
    @Test(.enabled(if: isInstalled("socat"), "needs socat")) func socat() throws { try check("socat") }

    private func check(_ kind: String) throws {
      let namespace = try NetworkNamespace()
      let server = try ChildProcess(
        namespace.command([Peer.python, Privileged.file("peers/servers.py"), kind, "\(Self.count)"]))
      try server.read(until: Deadline(seconds: 60), "the port") { $0.output.contains(0x0a) }
      let port = String(server.outputText.prefix { $0 != "\n" })
      let tracer = try Tracer(["-L", port], of: namespace)
      try server.write("go\n")
      try server.read(until: Deadline(seconds: 60), "answers") { $0.output.count { $0 == 0x0a } > Self.count }
      var answered: [String: String] = [:]
      for line in server.outputText.split(separator: "\n").dropFirst() {
        let words = line.split(separator: " ")
        answered[String(words[0])] = String(words[1])
      }
      try tracer.wait("the owners of \(Self.count) connections") { rows in
        let latest = Self.latest(rows, answered)
        return latest.count == Self.count
          && latest.values.allSatisfy { ["holder", "reader"].contains($0["owner_kind"]) }
      }
      for row in try tracer.finish().role("server") {
        guard let process = answered[row["peer_port"]], row["owner_kind"] != "inherited" else { continue }
        #expect(row["process_pid"] == process, "\(kind) \(row.transition) \(row["owner_kind"])")
      }
      server.closeInput()
      try server.wait(until: Deadline(seconds: 60))
    }

    /// The latest row of each connection that was answered, by its peer's port.
    private static func latest(_ rows: [CSVTable.Row], _ answered: [String: String]) -> [String: CSVTable.Row] {
      var latest: [String: CSVTable.Row] = [:]
      for row in rows.role("server") where answered[row["peer_port"]] != nil { latest[row["peer_port"]] = row }
      return latest
    }
  }
}
