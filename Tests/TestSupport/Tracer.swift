// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// The program under test, tracing.
public final class Tracer {
  /// `TCPSTATE_TEST_BINARY`, or the release build in the current folder.
  public static var binary: String {
    ProcessInfo.processInfo.environment["TCPSTATE_TEST_BINARY"] ?? ".build/release/tcpstate-trace"
  }

  public let process: ChildProcess
  private var parsed: (length: Int, rows: [CSVTable.Row]) = (0, [])

  /// Starts the program with all columns of CSV and waits until it traces.
  ///
  /// - Parameters:
  ///   - options: further options; a format or columns among them replace the usual ones.
  ///   - namespace: the namespace to trace; `nil` if `options` say what to trace.
  ///   - wrapper: a command that replaces itself with the program (exec).
  ///   - binary: a copy of the program, where the usual one can't be run.
  public init(
    _ options: [String] = [], of namespace: NetworkNamespace?, output: ChildProcess.Output = .pipe,
    wrapper: [String] = [], binary: String = Tracer.binary
  ) throws {
    var arguments = [binary]
    if !options.contains("--format") { arguments += ["--format", "csv"] }
    if !options.contains("--columns"), !options.contains("--format") { arguments += ["--columns", "all"] }
    if let namespace { arguments += ["--netns", namespace.path] }
    // So that it ends even if the test is killed.
    if !options.contains("--for") { arguments += ["--for", "150s"] }
    process = try ChildProcess(wrapper + arguments + options, output: output)
    try process.read(until: Deadline(seconds: 60), "to start tracing") { Self.isTracing($0) }
  }

  private static func isTracing(_ process: ChildProcess) -> Bool { process.errorText.contains("Tracing TCP on") }

  /// The complete rows so far.
  public func rows() throws -> [CSVTable.Row] {
    if parsed.length != process.output.count {
      let end = (process.output.lastIndex(of: 0x0a) ?? -1) + 1
      parsed = (process.output.count, try CSVTable(Array(process.output[..<end])).rows)
    }
    return parsed.rows
  }

  /// Reads rows until `condition` holds.
  public func wait(_ what: String, seconds: Double = 30, _ condition: ([CSVTable.Row]) -> Bool) throws {
    try process.read(until: Deadline(seconds: seconds), what) { _ in
      guard let rows = try? rows() else { return false }
      return condition(rows)
    }
  }

  /// Reads rows until each of these transitions has occurred that many times.
  public func wait(for transitions: [String: Int], seconds: Double = 30) throws {
    try wait("\(transitions)", seconds: seconds) { rows in
      transitions.allSatisfy { wanted in rows.count { $0.transition == wanted.key } >= wanted.value }
    }
  }

  /// The lost events that its closing line reports: "1,234 transitions in 1.2 s, 5,678 lost, 0 unmatched."
  public var reportedLoss: Int? {
    process.errorText.firstMatch(of: /, ([\d,]+) lost,/).flatMap { Int($0.1.filter { $0 != "," }) }
  }

  /// Sends SIGSTOP and waits until the program has stopped.
  public func pause() throws {
    process.send(SIGSTOP)
    let deadline = Deadline(seconds: 30)
    while true {
      let status = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
      if status.split(separator: ")").last?.hasPrefix(" T") == true { return }
      if deadline.hasPassed { throw TestFailure("the tracer doesn't stop") }
      usleep(200)
    }
  }

  /// Ends the program and reads the rest of its output.
  @discardableResult
  public func stop(_ signal: Int32 = SIGINT) throws -> ChildProcess.Ending {
    process.send(signal)
    return try process.wait(until: Deadline(seconds: 60))
  }

  /// Ends the program, which must succeed, and returns all rows.
  public func finish() throws -> [CSVTable.Row] {
    let ending = try stop()
    guard ending == .exited(0) else { throw TestFailure("\(ending): \(process.errorText)") }
    return try rows()
  }
}
