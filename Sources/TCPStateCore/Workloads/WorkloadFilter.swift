// SPDX-License-Identifier: Apache-2.0

/// Containers, pods and units to which rows have to belong. `*` in a name stands for any text.
public struct WorkloadFilter: Sendable, Equatable {
  /// Names, or the beginnings of ids.
  public var containers: [String] = []
  /// `NAMESPACE/NAME`, or the name alone in any namespace.
  public var pods: [String] = []
  /// With their type, such as `nginx.service`.
  public var units: [String] = []

  public init() {}

  public var isEmpty: Bool { containers.isEmpty && pods.isEmpty && units.isEmpty }

  /// How many digits of an id are enough.
  private static let leastDigits = 3

  /// Whether it belongs to one of each kind that is asked for.
  public func wants(_ workload: Workload) -> Bool {
    (containers.isEmpty || containers.contains { Self.matches($0, container: workload) })
      && (pods.isEmpty || pods.contains { Self.matches($0, pod: workload) })
      && (units.isEmpty || units.contains { Self.matches($0, unit: workload) })
  }

  public static func matches(_ name: String, container workload: Workload) -> Bool {
    if matches(name, workload.containerName.bytes) || matches(name, workload.containerID.bytes) { return true }
    return name.utf8.count >= leastDigits && name.utf8.allSatisfy { $0.isHexDigit }
      && workload.containerID.bytes.starts(with: name.utf8)
  }

  public static func matches(_ name: String, pod workload: Workload) -> Bool {
    guard let slash = name.utf8.firstIndex(of: 0x2f) else { return matches(name, workload.podName.bytes) }
    return matches(name.utf8[..<slash], workload.podNamespace.bytes)
      && matches(name.utf8[name.utf8.index(after: slash)...], workload.podName.bytes)
  }

  public static func matches(_ name: String, unit workload: Workload) -> Bool { matches(name, workload.unit.bytes) }

  /// A unit's name as people shorten it: a service unless it says otherwise (systemctl(1)).
  public static func unit(_ name: String) -> String {
    name.contains(".") || name.hasSuffix("*") ? name : "\(name).service"
  }

  private static func matches(_ name: String, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    matches(name.utf8[...], text)
  }

  /// Unknown text matches nothing, not even `*`.
  private static func matches(_ pattern: Substring.UTF8View, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard !text.isEmpty else { return false }
    var (place, position) = (pattern.startIndex, 0)
    /// Behind the last `*`, and up to where that one reaches.
    var retry: (String.Index, Int)?
    while position < text.count {
      if place < pattern.endIndex, pattern[place] == 0x2a {
        place = pattern.index(after: place)
        retry = (place, position)
      } else if place < pattern.endIndex, pattern[place] == text[position] {
        place = pattern.index(after: place)
        position += 1
      } else if let (behind, reached) = retry {
        (place, position) = (behind, reached + 1)
        retry = (behind, reached + 1)
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == 0x2a }
  }
}
