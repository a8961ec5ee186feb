// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What is in a directory, without `.` and `..`, in the order of the file system.
public enum Directory {
  /// Calls `body` with each name until it returns false.
  ///
  /// - Parameter foldersOnly: leaves out what isn't a directory itself; links to one are left out, too.
  /// - Returns: false if the directory can't be opened; `errno` says why.
  @discardableResult
  public static func forEachName(in path: String, foldersOnly: Bool = false, _ body: (String) -> Bool) -> Bool {
    guard let directory = opendir(path) else { return false }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      guard !foldersOnly || entry.pointee.d_type == UInt8(DT_DIR) else { continue }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != "..", !body(name) { break }
    }
    return true
  }

  /// All names; `nil` if the directory can't be opened, and `errno` says why.
  public static func names(in path: String, foldersOnly: Bool = false) -> [String]? {
    var names: [String] = []
    let isOpen = forEachName(in: path, foldersOnly: foldersOnly) { name in
      names.append(name)
      return true
    }
    return isOpen ? names : nil
  }
}
