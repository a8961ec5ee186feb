// SPDX-License-Identifier: Apache-2.0
import CLibbpf

extension KernelSource {
  /// The version of the libbpf that is linked in, such as `1.1`.
  public static var libbpfVersion: String {
    let text = libbpf_version_string().map { String(cString: $0) } ?? "unknown"
    return text.hasPrefix("v") ? String(text.dropFirst()) : text
  }
}
