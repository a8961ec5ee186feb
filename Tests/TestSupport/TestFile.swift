// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Finds files of a test target from any of its sources.
public enum TestFile {
  /// The nearest `name` next to the source file or in a folder above it.
  ///
  /// - Parameter name: a path such as `peers/agent.py`, or one relative to the repository's root.
  public static func url(_ name: String, from source: String = #filePath) -> URL {
    var folder = URL(fileURLWithPath: source).deletingLastPathComponent()
    while folder.path != "/" {
      let candidate = folder.appendingPathComponent(name)
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
      folder = folder.deletingLastPathComponent()
    }
    return URL(fileURLWithPath: source).deletingLastPathComponent().appendingPathComponent(name)
  }
}
