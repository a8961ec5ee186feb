// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport

/// Files in a folder that goes with this value.
final class Folder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("recording-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// The last part of `path`.
  var name: String { URL(fileURLWithPath: path).lastPathComponent }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ name: String, _ text: some StringProtocol) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }
}

enum Recording {
  static func csv(_ rows: [Transition], _ columns: [Column] = Column.allCases) -> String {
    var writer = CSVWriter(columns: columns)
    var buffer = ByteBuffer()
    writer.appendHeader(to: &buffer)
    for row in rows { writer.append(row, to: &buffer) }
    return buffer.text
  }

  static func jsonLines(_ rows: [Transition]) -> String {
    var writer = JSONLinesWriter(columns: Column.allCases)
    var buffer = ByteBuffer()
    for row in rows { writer.append(row, to: &buffer) }
    return buffer.text
  }

  /// `count` rows of one socket, a second apart, numbered from 1.
  static func rows(_ count: Int, connection: UInt64 = 7, from start: UInt64 = 1_700_000_000_000_000_000) -> [Transition]
  {
    (0..<count).map { index in
      var row = SampleTransitions.oneConnection.rows[1]
      row.connection = connection
      row.sequence = UInt64(index + 1)
      row.time = start + UInt64(index) * 1_000_000_000
      row.old = index % 2 == 0 ? .established : .closeWait
      row.new = index % 2 == 0 ? .closeWait : .established
      row.stay = Stay(nanoseconds: 1_000_000_000, kind: .exact)
      return row
    }
  }

  static func fixture(_ name: String) -> String {
    TestFile.url("Fixtures/\(name)").path
  }

  /// Runs the program, which must end with `status`.
  ///
  /// - Parameter bare: `arguments` have the program already.
  static func run(_ arguments: [String], status: Int32 = 0, bare: Bool = false) throws -> ChildProcess {
    let process = try ChildProcess.run((bare ? [] : [Tracer.binary]) + arguments, seconds: 60)
    guard process.ending == .exited(status) else {
      throw TestFailure("\(arguments): \(String(describing: process.ending)): \(process.errorText)")
    }
    return process
  }
}
