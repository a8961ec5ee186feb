// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// A report of live traffic.
@Suite(.oneAtATime, .enabled(if: Privilege.canTrace, "needs root and kernel BTF"))
struct ReportPrivilegedTests {
  private static let traffic = TestFile.url("peers/traffic.py").path

  @Test(arguments: [SIGINT, SIGTERM])
  func wholeAfterSignals(_ signal: Int32) throws {
    let namespace = try NetworkNamespace()
    let page = FileManager.default.temporaryDirectory.appendingPathComponent("live-\(UUID().uuidString).html")
    defer { try? FileManager.default.removeItem(at: page) }
    let peer = try ChildProcess(namespace.command([Peer.python, Self.traffic]))
    try peer.read(until: Deadline(seconds: 60), "traffic") { $0.outputText.contains("ready") }
    let report = try ChildProcess([
      Tracer.binary, "report", "--netns", namespace.path, "--for", "150s", "--output", page.path,
    ])
    try report.read(until: Deadline(seconds: 60), "to collect") { $0.errorText.contains("Collecting TCP") }
    try peer.write("\n")
    try peer.read(until: Deadline(seconds: 60), "traffic") { $0.outputText.contains("done") }
    report.send(signal)
    #expect(try report.wait(until: Deadline(seconds: 60)) == .exited(0))
    let text = try String(contentsOf: page, encoding: .utf8)
    let totals = try #require(
      text.components(separatedBy: "id=\"totals\">").last?.components(separatedBy: "</script>")[0])
    let figures = try #require(try JSONSerialization.jsonObject(with: Data(totals.utf8)) as? [String: Any])
    // Both ends of each connection are here. Those of the one opened before the trace aren't joined: one
    // is a minisock in FIN-WAIT-2, which has no sequence numbers to identify its other end.
    #expect(figures["ends"] as? Int == 44)
    #expect(figures["lives"] as? Int == 23)
    #expect(figures["lost"] as? Int == 0)
    #expect(figures["unmatched"] as? Int == 0)
    #expect(report.errorText.contains("23 connections in "))
    #expect(text.contains(",[8,"), "the socket found in CLOSE-WAIT")
  }
}
