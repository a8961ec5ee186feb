// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A file with the expected output, rewritten only when `UPDATE_GOLDEN=1` is set.
public struct Golden {
  public let url: URL

  /// A file anywhere.
  public init(url: URL) { self.url = url }

  /// - Parameter name: a path below the folder `Fixtures` of the test's target.
  public init(_ name: String, testFile: String = #filePath) {
    url = TestFile.url("Fixtures", from: testFile).appendingPathComponent(name)
  }

  /// The difference from the file as text for a failure; `nil` if there is none.
  public func difference(from actual: Data) throws -> String? {
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try actual.write(to: url)
      return nil
    }
    guard let expected = try? Data(contentsOf: url) else {
      return "\(url.lastPathComponent) is missing; make golden writes it"
    }
    guard expected != actual else { return nil }
    return """
      \(url.lastPathComponent) differs; expected:
      \(String(decoding: expected, as: UTF8.self))
      actual:
      \(String(decoding: actual, as: UTF8.self))
      """
  }
}
