// SPDX-License-Identifier: Apache-2.0

/// The names of a container as far as files say; `nil` is unknown.
struct ContainerNames: Equatable {
  var container: String?
  var pod: String?
  var podNamespace: String?

  /// Takes over what this one lacks.
  mutating func fill(from other: ContainerNames) {
    container = container ?? other.container
    // A pod's name is one within its namespace only.
    if pod == nil { (pod, podNamespace) = (other.pod, other.podNamespace) }
  }

  /// From the name that the kubelet gave docker's and CRI-O's containers: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`.
  /// Any other is the container's own.
  init(runtimeName name: String) {
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count >= 6, parts[0] == "k8s" else {
      container = Self.known(name)
      return
    }
    container = Self.known(parts[1])
    pod = Self.known(parts[2])
    podNamespace = Self.known(parts[3])
  }

  init(container: String? = nil, pod: String? = nil, podNamespace: String? = nil) {
    self.container = container
    self.pod = pod
    self.podNamespace = podNamespace
  }

  private static func known(_ text: some StringProtocol) -> String? { text.isEmpty ? nil : String(text) }

  /// From the annotations of an OCI bundle's `config.json`; all else in it, its environment above all, is skipped.
  init(bundle bytes: [UInt8]) {
    var document = JSONStrings(bytes)
    var annotations: [String: String] = [:]
    _ = document.forEachMember { document, key in
      guard key == "annotations" else { return document.skip() }
      return document.forEachMember { document, key in
        guard Self.keys.contains(key) else { return document.skip() }
        guard let value = document.string() else { return false }
        if !value.isEmpty { annotations[key] = value }
        return true
      }
    }
    func first(_ keys: String...) -> String? { keys.lazy.compactMap { annotations[$0] }.first }
    container = first("io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name")
    pod = first("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name")
    podNamespace = pod == nil ? nil : first("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace")
  }

  private static let keys: Set<String> = [
    "io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name",
    "io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-namespace",
    "io.kubernetes.pod.namespace",
  ]

  /// From docker's `config.v2.json`, whose `Name` begins with a slash.
  init(docker bytes: [UInt8]) {
    var document = JSONStrings(bytes)
    var name = ""
    _ = document.forEachMember { document, key in
      guard key == "Name" else { return document.skip() }
      name = document.string() ?? ""
      return false
    }
    self.init(runtimeName: name.hasPrefix("/") ? String(name.dropFirst()) : name)
  }

  /// From the list of containers that containers/storage keeps for podman and CRI-O: objects with `id` and `names`.
  init(list bytes: [UInt8], id: String) {
    var document = JSONStrings(bytes)
    var found: String?
    _ = document.forEachElement { document in
      var (isIt, name) = (false, String?.none)
      let isObject = document.forEachMember { document, key in
        switch key {
        case "id":
          isIt = document.string() == id
          return true
        case "names":
          return document.forEachElement { document in
            guard let text = document.string() else { return false }
            name = name ?? text
            return true
          }
        default: return document.skip()
        }
      }
      if isIt { found = name }
      return isObject && !isIt
    }
    self.init(runtimeName: found ?? "")
  }

  /// From the command line of conmon, podman's monitor of one container: `-c ID … -n NAME`.
  init?(conmon arguments: [UInt8], id: String) {
    let words = arguments.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    func value(_ option: String) -> String? {
      words.firstIndex(of: option).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }
    guard value("-c") == id, let name = value("-n") else { return nil }
    self.init(runtimeName: name)
  }
}
