// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// Ends and beginnings that put no segment on the wire, or another one than usual. `peers/silent.py` makes them.
  @Suite struct SilentEndsTests {
    /// A life's last transition and its reason, and which of these its ladder must not draw.
    struct Expected: Sendable, CustomTestStringConvertible {
      let name: String
      let ends: [String]
      let undrawn: [String]

      var testDescription: String { name }
    }

    private static let lives = [
      Expected(name: "no_port", ends: ["syn_sent→closed no_port"], undrawn: ["SYN", "RST"]),
      Expected(name: "addresses_in_use", ends: ["syn_sent→closed no_port"], undrawn: ["SYN", "RST"]),
      Expected(name: "no_route", ends: ["syn_sent→closed no_route"], undrawn: ["SYN", "RST"]),
      Expected(name: "icmp_refused", ends: ["syn_sent→closed refused"], undrawn: ["RST"]),
      Expected(name: "icmp_unreachable", ends: ["syn_sent→closed unreachable"], undrawn: ["RST"]),
      Expected(name: "icmp6_prohibited", ends: ["syn_sent→closed prohibited"], undrawn: ["RST"]),
      Expected(name: "repair", ends: ["established→closed repair"], undrawn: ["RST"]),
      Expected(name: "listener_closed", ends: ["syn_received→closed unaccepted"], undrawn: ["RST"]),
    ]

    @Test(arguments: lives) func silentEnd(_ life: Expected) throws {
      let folder = try TemporaryFolder()
      let namespace = try NetworkNamespace()
      let tracer = try Tracer(of: namespace)
      let peer = try ChildProcess.run(
        namespace.command([Peer.python, Privileged.file("peers/silent.py"), life.name]), seconds: 40)
      try #require(peer.ending == .exited(0), "\(peer.errorText)")
      let port = try #require(peer.outputText.split(whereSeparator: \.isWhitespace).last)
      func isOfLife(_ row: CSVTable.Row) -> Bool {
        row["role"] != "listener" && (row["local_port"] == port || row["peer_port"] == port)
      }
      func ends(_ rows: [CSVTable.Row]) -> [String] {
        rows.filter { isOfLife($0) && !["", "fin"].contains($0["reason"]) }
          // When the peer's process is gone, so is what it held.
          .filter {
            !["aborted", "reset_received"].contains($0["reason"]) && $0.transition != "established→closed"
              || $0["reason"] == "repair"
          }
          .map { "\($0.transition) \($0["reason"])" }
      }
      try tracer.wait("the end of \(life.name)") { ends($0).count >= life.ends.count }
      let rows = try tracer.finish()
      #expect(ends(rows) == life.ends)
      // Only this life's own steps.
      let last = try #require(rows.last { isOfLife($0) && "\($0.transition) \($0["reason"])" == life.ends.last })
      let drawn = try Self.ladder(of: last["connection_id"], tracer.process.output, folder)
      for segment in life.undrawn { #expect(!drawn.contains("─ \(segment) "), "\(drawn)") }
      if life.undrawn.contains("SYN") == false { #expect(drawn.contains("─ SYN "), "\(drawn)") }
    }

    /// The connection that TCP_REPAIR makes has no handshake.
    @Test func repairedConnection() throws {
      let folder = try TemporaryFolder()
      let namespace = try NetworkNamespace()
      let tracer = try Tracer(of: namespace)
      let peer = try ChildProcess.run(
        namespace.command([Peer.python, Privileged.file("peers/silent.py"), "repair"]), seconds: 40)
      try #require(peer.ending == .exited(0), "\(peer.errorText)")
      let rows = try tracer.finish()
      let opened = rows.filter { $0.transition == "syn_sent→established" }
      #expect(opened.map { $0["segments_sent"] == "0" } == [false, true])
      let drawn = try Self.ladder(of: try #require(opened.last)["connection_id"], tracer.process.output, folder)
      #expect(!drawn.contains("─ SYN "), "\(drawn)")
      #expect(!drawn.contains("LISTEN"), "\(drawn)")
    }

    private static func ladder(of connection: String, _ recording: [UInt8], _ folder: TemporaryFolder) throws -> String
    {
      let path = folder.file("rows.csv")
      try Data(recording).write(to: URL(fileURLWithPath: path))
      let run = try ChildProcess.run([
        Tracer.binary, "lifecycle", "--read", path, "--connection", connection, "--color", "never",
      ])
      try #require(run.ending == .exited(0), "\(run.errorText)")
      return run.outputText
    }
  }
}
