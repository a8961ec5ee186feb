// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A numeric address in network byte order.
enum IPBytes {
  /// 4 or 16 bytes; nil if it is no numeric address.
  static func parse(_ text: String) -> [UInt8]? {
    for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: count)
      if inet_pton(family, text, &bytes) == 1 { return bytes }
    }
    return nil
  }
}
