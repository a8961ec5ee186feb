// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// The user who started the program: under sudo the one who called it, else the one that it runs as.
struct InvokingUser {
  let id: uid_t
  /// `nil` if the process has that user's ids already.
  private let sudoGroup: gid_t?

  init() {
    let user = Self.number("SUDO_UID")
    let group = Self.number("SUDO_GID")
    if geteuid() == 0, let user, let group, user != 0 {
      (id, sudoGroup) = (user, group)
    } else {
      (id, sudoGroup) = (geteuid(), nil)
    }
  }

  /// Becomes that user for good, without any right of root's.
  ///
  /// - Returns: whether that succeeded.
  func become() -> Bool {
    if let sudoGroup {
      var groups = [sudoGroup]
      guard setgroups(1, &groups) == 0, setgid(sudoGroup) == 0, setuid(id) == 0,
        geteuid() == id
      else { return false }
    }
    Confinement.dropRights()
    return true
  }

  /// Where settings are (XDG Base Directory Specification); `nil` if no home is known.
  var configurationFolder: String? {
    if let folder = Self.absolute("XDG_CONFIG_HOME") { return folder }
    let home =
      sudoGroup == nil ? Self.absolute("HOME") ?? homeByPasswords : Self.absolute("SUDO_HOME") ?? homeByPasswords
    return home.map { $0 + "/.config" }
  }

  /// From /etc/passwd itself: the C library's getpwuid(3) loads modules, which the static program can't.
  private var homeByPasswords: String? {
    let number = open("/etc/passwd", O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    defer { close(number) }
    for line in UserFolder.text(of: number, atMost: 1 << 20)?.split(separator: "\n") ?? [] {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= 6, uid_t(fields[2]) == id, fields[5].hasPrefix("/") { return String(fields[5]) }
    }
    return nil
  }

  /// The specification ignores a path that isn't absolute.
  private static func absolute(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.hasPrefix("/") ? text : nil
  }

  private static func number(_ name: String) -> UInt32? { getenv(name).flatMap { UInt32(String(cString: $0)) } }
}
