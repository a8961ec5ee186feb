// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Looks up what a container is called, in the files that its runtime and the kubelet leave on the host.
///
/// No runtime is asked through its socket, which would mean root's rights over it, and no API server. Of files that also
/// hold a container's environment only the names are kept.
struct RuntimeFiles {
  /// Before every path; empty for this machine.
  let root: String

  /// The largest that is read: a bundle's configuration, and a list of all containers.
  private static let largestBundle = 4 << 20
  private static let largestList = 16 << 20

  init(root: String = "") { self.root = root }

  func names(of path: CgroupPath) -> ContainerNames {
    var names = ContainerNames()
    if let uid = path.podUID { names.fill(from: pod(uid)) }
    guard let id = path.containerID else { return names }
    switch path.runtime {
    case .docker: names.fill(from: docker(id))
    case .containerd:
      names.fill(from: kubernetes(id))
      if lacksAny(names, path) { names.fill(from: containerd(id)) }
    case .crio:
      names.fill(from: kubernetes(id))
      if lacksAny(names, path) { names.fill(from: crio(id)) }
    case .podman: names.fill(from: podman(id, userID: path.userID))
    case .lxc, .ecs: break
    case nil:
      if path.podUID != nil { names.fill(from: kubernetes(id)) }
      for look in [docker, containerd, crio, { podman($0, userID: path.userID) }] where lacksAny(names, path) {
        names.fill(from: look(id))
      }
    }
    return names
  }

  private func lacksAny(_ names: ContainerNames, _ path: CgroupPath) -> Bool {
    names.container == nil || (path.podUID != nil && names.pod == nil)
  }

  // MARK: - The kubelet's logs

  /// `/var/log/pods/NAMESPACE_POD_UID`.
  private func pod(_ uid: String) -> ContainerNames {
    var names = ContainerNames()
    RuntimeFile.forEachName(in: root + "/var/log/pods") { name in
      guard name.hasSuffix("_\(uid)") else { return true }
      let parts = name.split(separator: "_", omittingEmptySubsequences: false)
      guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty else { return true }
      names = ContainerNames(pod: String(parts[1]), podNamespace: String(parts[0]))
      return false
    }
    return names
  }

  /// `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`.
  private func kubernetes(_ id: String) -> ContainerNames {
    var names = ContainerNames()
    let ending = "-\(id).log"
    RuntimeFile.forEachName(in: root + "/var/log/containers") { name in
      guard name.hasSuffix(ending) else { return true }
      let parts = name.dropLast(ending.utf8.count).split(separator: "_", omittingEmptySubsequences: false)
      guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return true }
      names = ContainerNames(container: String(parts[2]), pod: String(parts[0]), podNamespace: String(parts[1]))
      return false
    }
    return names
  }

  // MARK: - Runtimes

  private func docker(_ id: String) -> ContainerNames {
    let path = root + "/var/lib/docker/containers/\(id)/config.v2.json"
    return RuntimeFile.bytes(path, atMost: Self.largestBundle).map { ContainerNames(docker: $0) } ?? ContainerNames()
  }

  /// The bundle of a running container, in whichever of containerd's namespaces it is.
  private func containerd(_ id: String) -> ContainerNames {
    var names = ContainerNames()
    for state in ["/run/containerd", "/run/k3s/containerd"] {
      let tasks = root + state + "/io.containerd.runtime.v2.task"
      RuntimeFile.forEachName(in: tasks) { namespace in
        let path = "\(tasks)/\(namespace)/\(id)/config.json"
        guard let bytes = RuntimeFile.bytes(path, atMost: Self.largestBundle) else { return true }
        names = ContainerNames(bundle: bytes)
        return false
      }
      if names != ContainerNames() { return names }
    }
    return names
  }

  private func crio(_ id: String) -> ContainerNames {
    let path = root + "/run/containers/storage/overlay-containers/\(id)/userdata/config.json"
    var names =
      RuntimeFile.bytes(path, atMost: Self.largestBundle).map { ContainerNames(bundle: $0) } ?? ContainerNames()
    names.fill(from: stored(id, in: root + "/var/lib/containers/storage"))
    return names
  }

  private func podman(_ id: String, userID: UInt32?) -> ContainerNames {
    var names = stored(id, in: root + "/var/lib/containers/storage")
    if names.container == nil, let userID, let home = home(of: userID) {
      names.fill(from: stored(id, in: root + home + "/.local/share/containers/storage"))
    }
    // Another user's storage may be out of reach, the command line of the container's monitor is not.
    if names.container == nil { names.fill(from: conmon(id)) }
    return names
  }

  /// containers/storage has a list for each storage driver that was used, and one for containers that go with a reboot.
  private func stored(_ id: String, in storage: String) -> ContainerNames {
    for driver in ["overlay", "vfs", "btrfs", "zfs"] {
      for list in ["containers.json", "volatile-containers.json"] {
        let path = "\(storage)/\(driver)-containers/\(list)"
        guard let bytes = RuntimeFile.bytes(path, atMost: Self.largestList) else { continue }
        let names = ContainerNames(list: bytes, id: id)
        if names.container != nil { return names }
      }
    }
    return ContainerNames()
  }

  private func conmon(_ id: String) -> ContainerNames {
    var names = ContainerNames()
    RuntimeFile.forEachName(in: root + "/proc") { process in
      guard process.utf8.first.map({ (48...57).contains($0) }) ?? false,
        RuntimeFile.text(root + "/proc/\(process)/comm", atMost: 64) == "conmon\n",
        let arguments = RuntimeFile.bytes(root + "/proc/\(process)/cmdline", atMost: 64 << 10),
        let found = ContainerNames(conmon: arguments, id: id)
      else { return true }
      names = found
      return false
    }
    return names
  }

  /// From passwd(5): users whom only a directory service knows aren't found.
  private func home(of userID: UInt32) -> String? {
    guard let users = RuntimeFile.text(root + "/etc/passwd", atMost: 1 << 20) else { return nil }
    for line in users.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count >= 6, UInt32(fields[2]) == userID, fields[5].hasPrefix("/") { return String(fields[5]) }
    }
    return nil
  }
}
