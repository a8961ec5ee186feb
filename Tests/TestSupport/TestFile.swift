import Foundation

/// Files that belong to a test target, found from any of its sources.
public enum TestFile {
  /// The nearest `name` beside the source file or above it.
  ///
  /// - Parameter name: a path such as `peers/agent.py`, or from the repository's root.
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
