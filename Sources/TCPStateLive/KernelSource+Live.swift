// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel

extension KernelSource {
  /// The namespaces whose tables can be read from here, with the capabilities that there were at the start.
  func readableNamespaces() throws(KernelError) -> Set<UInt32> {
    let own = Set([NetworkNamespaces.own].compactMap { $0 })
    return missingForNamespaces.contains(.sysAdmin) ? own : own.union(try namespaces().keys)
  }

  /// Gives up the capabilities that no later call needs.
  ///
  /// - Returns: what can't be seen from this process's namespaces or for lack of a capability, and whether giving up was
  ///   refused. Nothing depends on that, but a seccomp filter that forbids it is worth knowing of.
  public func dropUnneededCapabilities() -> [LiveNotice] {
    var notices: [LiveNotice] = []
    if !Surroundings.current.limits.isEmpty {
      notices.append(.confined(Surroundings.current, hidesNamespaces: hidesNamespaces))
    }
    if let missing = missingForNamespaces.first { notices.append(.namespacesOutOfReach(missing: missing)) }
    do throws(KernelError) {
      try dropCapabilities()
    } catch {
      notices.append(.capabilitiesKept(error))
    }
    return notices
  }
}
