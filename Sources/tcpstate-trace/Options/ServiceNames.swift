// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Ports by the names that /etc/services gives them.
///
/// It is read here because getservbyname(3) loads the plug-ins of nsswitch.conf, and those of a host don't fit the C library
/// that a program without shared libraries contains.
enum ServiceNames {
  /// The TCP port of a service or of one of its aliases, in host byte order; `nil` if the file names none, or isn't there.
  static func port(_ name: String, in path: String = "/etc/services") -> UInt16? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // services(5): name, port/protocol, aliases; a comment may follow.
      let words = text.prefix { $0 != "#" }.split { $0.isWhitespace }
      guard words.count > 1, words[1].hasSuffix("/tcp"), let port = UInt16(words[1].dropLast(4)) else { continue }
      if words[0] == name || words.dropFirst(2).contains(where: { $0 == name }) { return port }
    }
    return nil
  }
}
