// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Containers, pods and units as people read them; safe on a terminal.
public enum WorkloadText {
  /// Terminal columns of the short form at most.
  public static let width = 24

  /// One short name: the container's, in Kubernetes the pod's, else the unit's. What is too long ends with `…`; `nil` if
  /// nothing is known.
  ///
  /// `web`, `3f2a81c09d11`, `web-7d9f8c6b54-x2x9k`, `nginx.service`.
  public static func short(_ workload: Workload, width: Int = width, glyphs: Glyphs = .unicode) -> String? {
    let name = workload.podName.isEmpty ? workload.containerText ?? known(workload.unit) : known(workload.podName)
    return name.map { FittedText.cut(TerminalText.visible($0), to: width, glyphs) }
  }

  /// All that is known, in full: `container nginx (3f2a81c09d11) of pod default/web-7d9f8c6b54-x2x9k`, `nginx.service`;
  /// `nil` if nothing is.
  public static func full(_ workload: Workload) -> String? {
    var parts: [String] = []
    if let container = workload.containerText {
      let id = workload.shortContainerID
      parts.append("container \(container)" + (id == nil || id == container ? "" : " (\(id ?? ""))"))
    }
    if let pod = workload.podText { parts.append(parts.isEmpty ? "pod \(pod)" : "of pod \(pod)") }
    if let unit = known(workload.unit) { parts.append(parts.isEmpty ? unit : "in \(unit)") }
    return parts.isEmpty ? nil : TerminalText.visible(parts.joined(separator: " "))
  }

  /// An id of 64 digits as people write it; anything else as it is.
  static func cutID(_ text: String) -> String {
    let isID = text.utf8.count == 64 && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    return isID ? String(text.prefix(Workload.shortID)) : text
  }

  private static func known(_ text: InternedText) -> String? { text.isEmpty ? nil : text.description }
}
