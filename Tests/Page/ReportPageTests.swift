// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// The report's page in a real Chromium; `peers/page.py` has the checks.
@Suite(.enabled(if: canDrive, "needs chromium, and TCPSTATE_TEST_PYTHON with playwright"), .serialized)
struct ReportPageTests {
  enum Check: String, CaseIterable, Sendable {
    case counts, filters, keyboard, pointer, hostile, looks, printed
  }

  @Test(arguments: Check.allCases)
  func page(_ check: Check) throws { try PageFolder(connections: 280).run(check.rawValue) }

  enum Choice: String, CaseIterable, Sendable {
    case diagram, tables, choices, link, saved, phone, head, axe
  }

  /// What can be chosen, shared and saved; `peers/selection.py` has the checks.
  @Test(.enabled(if: canAudit, "needs TCPSTATE_TEST_PYTHON with axe-playwright-python"), arguments: Choice.allCases)
  func selection(_ choice: Choice) throws {
    try PageFolder(connections: 280).run(choice.rawValue, script: "selection.py")
  }

  /// The bound of twenty seconds allows for a loaded machine; bench/report.py measures.
  @Test func crowd() throws {
    let folder = try PageFolder(connections: 50_000, seconds: 600)
    try folder.run("crowd")
  }

  @Test func cutShort() throws {
    let folder = try PageFolder(connections: 1_000)
    let page = try Data(contentsOf: URL(fileURLWithPath: folder.file("page.html")))
    try page.prefix(page.count * 2 / 3).write(to: URL(fileURLWithPath: folder.file("cut.html")))
    try folder.run("cut")
  }

  @Test func empty() throws {
    try PageFolder(connections: 0).run("empty")
  }
}

/// Whether there are a browser and a Python that can drive it.
let canDrive: Bool = {
  guard access(PageFolder.chromium, X_OK) == 0, let python = PageFolder.python else { return false }
  let process = try? ChildProcess.run([python, "-c", "import playwright"])
  return process?.ending == .exited(0)
}()

private let canAudit: Bool = {
  guard canDrive, let python = PageFolder.python else { return false }
  return (try? ChildProcess.run([python, "-c", "import axe_playwright_python"]))?.ending == .exited(0)
}()

/// A folder with a recording made by `peers/recording.py`, and the page that the command makes from it.
final class PageFolder {
  static let chromium = ProcessInfo.processInfo.environment["CHROMIUM"] ?? "/usr/bin/chromium"
  static let python = ProcessInfo.processInfo.environment["TCPSTATE_TEST_PYTHON"]

  private let url: URL

  init(connections: Int, seconds: Int = 60) throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let rows = try ChildProcess(
      [Peer.python, Self.peer("recording.py"), "\(connections)", "\(seconds)"], output: .file(file("rows.csv")))
    guard try rows.wait(until: Deadline(seconds: 60)) == .exited(0) else { throw TestFailure(rows.errorText) }
    let made = try ChildProcess.run(
      [Tracer.binary, "report", "--read", file("rows.csv"), "--output", file("page.html")], seconds: 120)
    guard made.ending == .exited(0) else { throw TestFailure(made.errorText) }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> String { url.appendingPathComponent(name).path }

  static func peer(_ name: String) -> String {
    TestFile.url("peers/\(name)").path
  }

  func run(_ check: String, script: String = "page.py") throws {
    let python = try #require(Self.python)
    let process = try ChildProcess.run(
      ["env", "TCPSTATE_TEST_BINARY=\(Tracer.binary)", python, "-B", Self.peer(script), check, url.path], seconds: 300)
    #expect(process.ending == .exited(0), "\(process.errorText)")
  }
}
