import Glibc
import TCPStateKernel

/// What this process may do: said where something is missing, and given up when it is done with.
enum Rights {
  /// Before anything is set up, so that the message is about what the user can change.
  static func require() throws(Failure) {
    let missing = Capabilities.missingForTracing
    guard !missing.isEmpty else { return }
    let names = missing.map(\.name).joined(separator: " and ")
    throw Failure(
      .noPermission,
      geteuid() == 0
        ? "can't trace without \(names), which root doesn't have here; a container needs them added (--cap-add)"
        : "can't trace without \(names): run it with sudo: sudo tcpstate-trace")
  }

  /// Gives up what is no longer needed, and says what wasn't there in the first place.
  static func giveUp(_ source: KernelSource) {
    if let limit = limit(source) { Message.error(limit) }
    do throws(KernelError) {
      try source.dropCapabilities()
    } catch {
      // Nothing depends on it; who has forbidden it, as a seccomp filter may, should know.
      Message.error(error.description)
    }
  }

  /// What can't be seen for want of a capability.
  static func limit(_ source: KernelSource) -> String? {
    guard let missing = source.missingForNamespaces.first else { return nil }
    let limit =
      missing == .sysAdmin
      ? "only the own network namespace's tables can be read"
      : "only network namespaces with a name (ip netns) are found, and the own one"
    return "without \(missing.name) \(limit); TIME-WAIT, half-open and orphaned sockets of others aren't seen"
  }

  /// The namespaces whose tables can be read.
  static func readable(_ source: KernelSource, _ missing: [Capability]) throws(KernelError) -> Set<UInt32> {
    let own = Set([NetworkNamespaces.own].compactMap { $0 })
    return missing.contains(.sysAdmin) ? own : own.union(try source.namespaces().keys)
  }
}
