// SPDX-License-Identifier: Apache-2.0

/// What a process runs in, by the names that people gave it: a container, a Kubernetes pod, a systemd unit.
///
/// Each part is empty if it is unknown, or if there is none: a cgroup alone doesn't distinguish the two.
public struct Workload: Hashable, Sendable, BitwiseCopyable {
  /// As the runtime writes it in full, most often 64 hexadecimal digits.
  public var containerID = InternedText()
  public var containerName = InternedText()
  public var podName = InternedText()
  /// The Kubernetes namespace of the pod.
  public var podNamespace = InternedText()
  /// The innermost systemd unit, such as `nginx.service`; never the scope that a runtime made for its container.
  public var unit = InternedText()

  public init() {}

  public var isUnknown: Bool { !isContainer && unit.isEmpty }

  /// Whether it is a container or in a pod.
  public var isContainer: Bool { !containerID.isEmpty || !containerName.isEmpty || !podName.isEmpty }

  /// The digits of a container's id that people use.
  public static let shortID = 12

  /// `default/web-7d9f8c`; `nil` if it is in no pod whose name is known.
  public var podText: String? {
    guard !podName.isEmpty else { return nil }
    return podNamespace.isEmpty ? podName.description : "\(podNamespace)/\(podName)"
  }

  /// `web`, or the id as people write it; `nil` if it is in no container.
  public var containerText: String? { containerName.isEmpty ? shortContainerID : containerName.description }

  /// The first digits of the id; all of one that isn't made of digits, because it is a name of its own.
  public var shortContainerID: String? {
    guard !containerID.isEmpty else { return nil }
    let text = containerID.description
    let isHexadecimal = text.utf8.count >= 32 && text.utf8.prefix(Self.shortID).allSatisfy { $0.isHexDigit }
    return isHexadecimal ? String(text.prefix(Self.shortID)) : text
  }
}

extension UInt8 {
  /// Whether it is one of `0`…`9`, `a`…`f`.
  var isHexDigit: Bool { (48...57).contains(self) || (97...102).contains(self) }
}
