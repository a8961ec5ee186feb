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

  /// Starts it in every column of CSV and waits until it traces.
  ///
  /// - Parameters:
  ///   - options: besides; a format or columns among them replace the usual ones.
  ///   - namespace: whose sockets it is to trace; `nil` for those that `options` say.
  ///   - wrapper: a command to run it by, which must become it.
  ///   - binary: a copy of the program, where the usual one can't be run.
  public init(
    _ options: [String] = [], of namespace: NetworkNamespace?, output: ChildProcess.Output = .pipe,
    wrapper: [String] = [], binary: String = Tracer.binary
  ) throws {
    var arguments = [binary]
    if !options.contains("--format") { arguments += ["--format", "csv"] }
    if !options.contains("--columns"), !options.contains("--format") { arguments += ["--columns", "all"] }
    if let namespace { arguments += ["--netns", namespace.path] }
    // Never left behind, even if the test is.
    if !options.contains("--for") { arguments += ["--for", "150s"] }
    process = try ChildProcess(wrapper + arguments + options, output: output)
    try process.read(until: Deadline(seconds: 60), "to start tracing") { Self.isTracing($0) }
  }

  private static func isTracing(_ process: ChildProcess) -> Bool { process.errorText.contains("Tracing TCP on") }

  /// The whole rows that have come.
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

  /// Reads rows until each of these transitions has come so many times.
  public func wait(for transitions: [String: Int], seconds: Double = 30) throws {
    try wait("\(transitions)", seconds: seconds) { rows in
      transitions.allSatisfy { wanted in rows.count { $0.transition == wanted.key } >= wanted.value }
    }
  }

  /// The events that it said were lost, at its end: "1,234 transitions in 1.2 s, 5,678 lost, 0 unmatched."
  public var toldLoss: Int? {
    process.errorText.firstMatch(of: /, ([\d,]+) lost,/).flatMap { Int($0.1.filter { $0 != "," }) }
  }

  /// Stops it by SIGSTOP and waits until it stands still.
  public func pause() throws {
    process.send(SIGSTOP)
    let deadline = Deadline(seconds: 30)
    while true {
      let status = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
      if status.split(separator: ")").last?.hasPrefix(" T") == true { return }
      if deadline.hasPassed { throw TestFailure("it doesn't stop") }
      usleep(200)
    }
  }

  /// Ends it and reads the rest.
  @discardableResult
  public func stop(_ signal: Int32 = SIGINT) throws -> ChildProcess.Ending {
    process.send(signal)
    return try process.wait(until: Deadline(seconds: 60))
  }

  /// Ends it, which must succeed, and hands out all rows.
  public func finish() throws -> [CSVTable.Row] {
    let ending = try stop()
    guard ending == .exited(0) else { throw TestFailure("\(ending): \(process.errorText)") }
    return try rows()
  }
}
