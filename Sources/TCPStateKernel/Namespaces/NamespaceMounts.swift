// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Network namespaces that are bind-mounted, such as those of `ip netns` in /run/netns and Docker's in
/// /run/docker/netns: lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
enum NamespaceMounts {
  /// Where each is mounted in the mount namespace that the text describes, by inode.
  static func parse(_ text: Substring) -> [UInt32: String] {
    var found: [UInt32: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
      guard words.count == 6, words[3].hasPrefix("net:["), words[3].hasSuffix("]"),
        let inode = UInt32(words[3].dropFirst(5).dropLast()), found[inode] == nil
      else { continue }
      found[inode] = unescaped(words[4])
    }
    return found
  }

  /// Spaces, tabs, line feeds and backslashes are written as `\040`: three octal digits.
  private static func unescaped(_ text: Substring) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      guard byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) else {
        bytes.append(byte)
        continue
      }
      bytes.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 48) }))
      rest = rest.dropFirst(3)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The mounts that a process sees.
  ///
  /// - Parameters:
  ///   - process: its directory in /proc.
  ///   - root: what paths are below, to be reached from here: that process's root, or nothing for our own.
  static func read(_ process: String, root: String) -> [UInt32: String] {
    guard let file = FileDescriptor(path: "\(process)/mountinfo"), let text = file.text() else { return [:] }
    return parse(text[...]).mapValues { root + $0 }
  }
}
