// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where the exporter is. PATH isn't asked: root's may name a folder that others write to.
enum ExporterProgram {
  static let name = "tcpstate-exporter"

  /// Where this program is, then where packages and `make install` put programs.
  static var folders: [String] {
    var folders = [ownFolder].compactMap { $0 }
    for folder in ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"] where !folders.contains(folder) {
      folders.append(folder)
    }
    return folders
  }

  /// The folder of this program's file, whatever link it was called by; `nil` if that isn't known.
  private static var ownFolder: String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes { bytes in
      bytes.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? -1
    }
    guard count > 0, let slash = buffer[..<count].lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return RawText.text(Array(buffer[..<slash]))
  }

  /// Its path; `nil` if it isn't installed.
  static func find() -> String? {
    folders.map { "\($0)/\(name)" }.first { path in RawText.withPath(path) { access($0, X_OK) } == 0 }
  }

  /// Runs it in this process's place.
  ///
  /// - Returns: the errno, only if that failed.
  static func become(_ path: String, _ arguments: [String]) -> Int32 {
    for number in StartUp.ignored { signal(number, SIG_DFL) }
    let words = ([name] + arguments).map { word in RawText.withPath(word) { strdup($0) } } + [nil]
    _ = RawText.withPath(path) { execv($0, words) }
    return errno
  }
}
