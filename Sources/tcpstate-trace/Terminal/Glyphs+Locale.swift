// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateReport

extension Glyphs {
  /// ASCII only where the locale says that it isn't UTF-8; where none is set, as
  /// often under sudo or in a container, terminals do UTF-8 all the same.
  static let ofLocale: Glyphs = {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
      guard let value = getenv(name), value.pointee != 0 else { continue }
      let locale = String(cString: value).lowercased()
      return locale.contains("utf-8") || locale.contains("utf8") ? .unicode : .ascii
    }
    return .unicode
  }()
}
