// SPDX-License-Identifier: Apache-2.0
import Glibc

/// This host as uname(2) names it, in this process's UTS namespace.
public struct HostName: Sendable {
  public let name: String
  /// The kernel's release: `6.1.0-28-amd64`.
  public let kernel: String

  public static var running: HostName {
    var system = utsname()
    uname(&system)
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return HostName(name: text(system.nodename), kernel: text(system.release))
  }
}
