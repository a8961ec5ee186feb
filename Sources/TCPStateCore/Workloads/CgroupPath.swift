// SPDX-License-Identifier: Apache-2.0

/// What made a container, as far as the path of its cgroup says.
public enum ContainerRuntime: String, CaseIterable, Sendable {
  case docker, containerd, crio, podman, lxc, ecs
}

/// What the path of a cgroup says about the container, pod and unit that its processes are in.
///
/// Runtimes encode the container's id in the path: as a systemd scope (`docker-ID.scope`), or below a directory of their
/// own (`/docker/ID`). The kubelet puts `podUID` above it. Paths of cgroup v1 and v2 look alike. Of nested containers, and
/// of units of a container's own systemd, the innermost counts.
public struct CgroupPath: Equatable, Sendable {
  public private(set) var runtime: ContainerRuntime?
  /// In full; `nil` if it is in no container, or in one that only has a name.
  public private(set) var containerID: String?
  /// Where the path itself has the name, as LXC's.
  public private(set) var containerName: String?
  /// The Kubernetes pod's UID, with dashes where it has any.
  public private(set) var podUID: String?
  public private(set) var unit: String?
  /// The user whose manager it is below, for rootless containers.
  public private(set) var userID: UInt32?

  /// Paths that are longer aren't looked at; PATH_MAX is 4096.
  private static let longest = 4096

  /// - Parameter path: from the root of its hierarchy, such as `/system.slice/nginx.service`. Foreign text.
  public init(_ path: String) {
    guard path.utf8.count <= Self.longest else { return }
    var parent = ""
    /// Whether the component before was a pod's directory.
    var isBelowPod = false
    for component in path.split(separator: "/") {
      let isBelow = isBelowPod
      isBelowPod = false
      if let uid = Self.podUID(component) {
        podUID = uid
        isBelowPod = !component.contains(":")
        clearContainer()
      }
      if Self.isOfMonitor(component) {
        // The runtime's own process for a container is in none.
      } else if let (runtime, id) = Self.container(component, parent: parent, isBelowPod: isBelow) {
        (self.runtime, containerID, containerName) = (runtime, id, nil)
        if runtime == .lxc { (containerID, containerName) = (nil, id) }
      } else {
        noteUnit(component)
      }
      parent = String(component)
    }
  }

  private mutating func clearContainer() { (runtime, containerID, containerName) = (nil, nil, nil) }

  private mutating func noteUnit(_ component: Substring) {
    if component.hasPrefix("user-"), component.hasSuffix(".slice") {
      userID = UInt32(component.dropFirst(5).dropLast(6))
      return
    }
    guard Self.unitEndings.contains(where: { component.hasSuffix($0) && component.utf8.count > $0.utf8.count }) else {
      return
    }
    // A manager's own scope says less than the unit that the manager is.
    if component == "init.scope", unit != nil { return }
    unit = String(component)
  }

  private static let unitEndings = [".service", ".scope", ".socket", ".mount", ".swap"]

  /// `conmon` of podman and CRI-O, LXC's monitor.
  private static func isOfMonitor(_ component: Substring) -> Bool {
    component.contains("-conmon-") || component.hasPrefix("lxc.monitor.")
  }

  // MARK: - Containers

  /// Prefixes of scopes, and of directories under the cgroupfs driver. The longer come first.
  private static let prefixes: [(String, ContainerRuntime)] = [
    ("cri-containerd-", .containerd), ("libpod-payload-", .podman), ("libpod-", .podman), ("docker-", .docker),
    ("nerdctl-", .containerd), ("crio-", .crio),
  ]

  private static func container(
    _ component: Substring, parent: String, isBelowPod: Bool
  ) -> (ContainerRuntime?, String)? {
    if component.hasPrefix("lxc.payload.") { return name(component.dropFirst(12)).map { (.lxc, $0) } }
    if parent == "lxc" { return name(component).map { (.lxc, $0) } }
    // A systemd path that reached a runtime without systemd: `system.slice:docker:ID`.
    let parts = component.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 3, parts[0].hasSuffix(".slice"), let id = identifier(parts[2]) {
      return (runtime(named: parts[1]), id)
    }
    let bare = component.hasSuffix(".scope") ? component.dropLast(6) : component
    for (prefix, runtime) in prefixes where bare.hasPrefix(prefix) {
      let id = bare.dropFirst(prefix.utf8.count)
      return isFullID(id) ? (runtime, String(id)) : nil
    }
    if isECS(component) { return (.ecs, String(component)) }
    if isFullID(component) { return (runtime(below: parent), String(component)) }
    // containerd's clients choose ids freely, and so does whoever runs a pod's containers with one.
    if parent == "k8s.io" || isBelowPod { return identifier(component).map { (.containerd, $0) } }
    return nil
  }

  private static func runtime(named name: Substring) -> ContainerRuntime? {
    switch name {
    case "docker": .docker
    case "cri-containerd", "containerd", "nerdctl": .containerd
    case "crio": .crio
    case "libpod": .podman
    default: nil
    }
  }

  private static func runtime(below parent: String) -> ContainerRuntime? {
    switch parent {
    case "docker": .docker
    case "libpod_parent": .podman
    case "ecs": .ecs
    case "k8s.io": .containerd
    default: nil
    }
  }

  /// 64 hexadecimal digits: docker's, podman's and the CRI's.
  private static func isFullID(_ text: Substring) -> Bool {
    text.utf8.count == 64 && text.utf8.allSatisfy { $0.isHexDigit }
  }

  /// 32 hexadecimal digits, a dash and a number: a container of an ECS task on Fargate.
  private static func isECS(_ text: Substring) -> Bool {
    let utf8 = text.utf8
    guard utf8.count > 33, utf8.prefix(32).allSatisfy({ $0.isHexDigit }), utf8.dropFirst(32).first == 0x2d else {
      return false
    }
    return utf8.dropFirst(33).allSatisfy { (48...57).contains($0) }
  }

  /// An id that a runtime accepts (containerd's identifiers package), which so is safe as the name of a file.
  private static func identifier(_ text: Substring) -> String? {
    let isAllowed = text.utf8.allSatisfy { byte in
      byte.isHexDigit || (65...90).contains(byte) || (97...122).contains(byte) || [0x2d, 0x2e, 0x5f].contains(byte)
    }
    guard isAllowed, (1...128).contains(text.utf8.count), text.first != ".", text.first != "-" else { return nil }
    return String(text)
  }

  private static func name(_ text: Substring) -> String? { text.isEmpty ? nil : String(text) }

  // MARK: - Pods

  /// `podUID`, `kubepods-burstable-podUID.slice` with `_` for `-`, and the same before a colon.
  private static func podUID(_ component: Substring) -> String? {
    var text = component.prefix { $0 != ":" }
    if text.hasSuffix(".slice") {
      text = text.dropLast(6)
      guard text.hasPrefix("kubepods") || text.contains("-kubepods-"), let last = text.split(separator: "-").last else {
        return nil
      }
      text = last
    }
    guard text.hasPrefix("pod") else { return nil }
    let uid = text.dropFirst(3)
    // A UUID, or the 32 digits of a static pod's hash.
    let digits = uid.utf8.count { $0.isHexDigit }
    let others = uid.utf8.allSatisfy { $0.isHexDigit || $0 == 0x2d || $0 == 0x5f }
    guard digits == 32, others, uid.utf8.count <= 36 else { return nil }
    return String(uid.map { $0 == "_" ? "-" : $0 })
  }
}
