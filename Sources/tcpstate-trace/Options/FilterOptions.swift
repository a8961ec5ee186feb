// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// Filters of every command that reads events.
struct FilterOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Words are filters, too: a port or service (443, https), an address or network, both of either end, a state, a recording (t.csv), anything else a process. `local` or `peer` before a word means that end.",
      valueName: "filter"))
  var words: [String] = []

  @Flag(name: [.customShort("4"), .customLong("ipv4")], help: "IPv4 only, including v4-mapped addresses.")
  var ipv4 = false

  @Flag(name: [.customShort("6"), .customLong("ipv6")], help: "IPv6 only.")
  var ipv6 = false

  @Option(name: [.customShort("L"), .long], help: ArgumentHelp("Local ports: 443,8000-8100.", valueName: "list"))
  var localPort: String?

  @Option(name: [.customShort("D"), .long], help: ArgumentHelp("Remote ports.", valueName: "list"))
  var remotePort: String?

  @Option(help: ArgumentHelp("Ports of either end.", valueName: "list"))
  var port: String?

  @Option(help: ArgumentHelp("Local addresses: 10.0.0.0/8,2001:db8::/32.", valueName: "cidr"))
  var local: String?

  @Option(help: ArgumentHelp("Peer addresses.", valueName: "cidr"))
  var peer: String?

  @Option(
    name: [.customShort("p"), .long],
    help: ArgumentHelp("Ids of processes that own the socket or act on it.", valueName: "list"))
  var pid: String?

  @Option(help: ArgumentHelp("The same by name; the kernel keeps 15 bytes of it.", valueName: "name"))
  var process: String?

  @Option(help: ArgumentHelp("Network namespace: self, an inode, or a path such as /run/netns/x.", valueName: "netns"))
  var netns: String?

  @Option(
    help: ArgumentHelp(
      "cgroup v2 directory, including its descendants: of the process that made the socket or of one that holds it.",
      valueName: "path"), completion: .directory)
  var cgroup: String?

  @Option(
    help: ArgumentHelp(
      "Containers by name, or by the beginning of the id; `*` in a name stands for any text.", valueName: "list"))
  var container: String?

  @Option(help: ArgumentHelp("Kubernetes pods: NAMESPACE/NAME, or NAME in any namespace.", valueName: "list"))
  var pod: String?

  @Option(help: ArgumentHelp("systemd units: nginx.service, or nginx.", valueName: "list"))
  var unit: String?

  @Option(
    help: ArgumentHelp(
      "Only sockets in these states (with stuck), or transitions from or to them: listen, syn-sent, syn-received, established, fin-wait-1, fin-wait-2, close-wait, closing, last-ack, time-wait, closed; or groups of them, as ss has: connected, synchronized, bucket, big, all.",
      valueName: "list"),
    completion: .list(
      TCPState.all.map { $0.name(.rfc).lowercased() } + ["connected", "synchronized", "bucket", "big", "all"]))
  var state: String?

  @Option(
    help: ArgumentHelp(
      "Show only transitions out of a state that has lasted at least this long: 250ms, 30s, 5m, 2h. What is still in a state is found by stuck --older-than.",
      valueName: "duration"))
  var longerThan: String?

  @Flag(name: .customShort("n"), help: "Accepted for habit's sake: names of hosts and services are never looked up.")
  var numeric = false

  /// Whether anything is filtered.
  var isGiven: Bool {
    ipv4 || ipv6 || (try? parsedWords().isFilter) ?? true
      || [
        port, localPort, remotePort, local, peer, pid, process, netns, cgroup, container, pod, unit, state, longerThan,
      ].contains { $0 != nil }
  }

  /// What is shown.
  func rowFilter() throws -> RowFilter {
    if ipv4 && ipv6 { throw Failure(.usage, "-4 and -6 exclude each other; leave both out for both") }
    var filter = RowFilter()
    try parsedWords().narrow(&filter)
    filter.family = ipv4 ? 4 : ipv6 ? 6 : nil
    try narrowEnds(&filter)
    filter.pids = try Set(
      Self.list(pid).map { part in
        guard let number = UInt32(part), number > 0 else {
          throw Failure(.usage, "--pid: '\(Message.printable(part))' is not a process id")
        }
        return number
      })
    for name in Self.list(process) {
      guard !name.isEmpty else { throw Failure(.usage, "--process: a name is empty") }
      filter.processes.insert(ShortName(bytes: name.utf8.prefix(15)))
    }
    filter.netns = try netns.map { try Self.netns($0) }
    filter.workloads = try workloads()
    for part in Self.list(state) {
      guard let states = TCPState.states(parsing: part) else {
        let names = TCPState.all.map { $0.name(.rfc) }.joined(separator: ", ")
        throw Failure(.usage, "--state: no state '\(Message.printable(part))'; there are \(names)")
      }
      filter.states.formUnion(states)
    }
    filter.longerThan = try longerThan.map { try Self.duration($0, option: "--longer-than") }
    return filter
  }

  private func workloads() throws -> WorkloadFilter {
    var filter = WorkloadFilter()
    for (text, option, names) in [
      (container, "--container", \WorkloadFilter.containers), (pod, "--pod", \.pods), (unit, "--unit", \.units),
    ] {
      for name in Self.list(text) {
        if name.isEmpty { throw Failure(.usage, "\(option): a name is empty") }
        if option == "--pod", name.split(separator: "/", omittingEmptySubsequences: false).contains("") {
          throw Failure(.usage, "--pod: '\(Message.printable(name))' is not NAMESPACE/NAME")
        }
        filter[keyPath: names].append(option == "--unit" ? WorkloadFilter.unit(name) : name)
      }
    }
    return filter
  }

  /// Ports and addresses, which options and words may both name: then either will do.
  private func narrowEnds(_ filter: inout RowFilter) throws {
    for (text, option, ports) in [
      (port, "--port", \RowFilter.eitherPorts), (localPort, "--local-port", \.localPorts),
      (remotePort, "--remote-port", \.peerPorts),
    ] {
      guard let text else { continue }
      filter.add(try Self.ports(text, option: option), to: ports)
    }
    filter.localNetworks += try Self.networks(local, option: "--local")
    filter.peerNetworks += try Self.networks(peer, option: "--peer")
  }

  /// What the words without a dash mean.
  func parsedWords() throws -> FilterWords { try FilterWords(words) }

  /// What the kernel can leave out beforehand.
  func kernelFilter(_ rows: RowFilter) throws -> KernelFilter {
    var filter = KernelFilter()
    filter.family = rows.family
    filter.localPorts = rows.localPorts
    filter.peerPorts = rows.peerPorts
    filter.eitherPorts = rows.eitherPorts
    filter.localNetworks = rows.localNetworks
    filter.peerNetworks = rows.peerNetworks
    filter.netns = rows.netns
    filter.netnsPath = netnsPath
    filter.cgroup = try cgroup.map { try Self.cgroup($0) }
    return filter
  }

  /// The path that names the network namespace, where it isn't this process's own or named by its inode.
  var netnsPath: String? { netns.flatMap { $0 == "self" || UInt32($0) != nil ? nil : $0 } }

  /// A recording has ids of cgroups, not which is within which.
  func refuseCgroup() throws(Failure) {
    guard cgroup != nil else { return }
    throw Failure(.usage, "--cgroup: a recording doesn't have the hierarchy of cgroups; leave it out")
  }

  static func duration(_ text: String, option: String) throws -> UInt64 {
    guard let nanoseconds = DurationText.parse(text) else {
      throw Failure(
        .usage, "\(option): '\(Message.printable(text))' is not a duration; write 250ms, 30s, 5m or 2h")
    }
    return nanoseconds
  }

  private static func list(_ text: String?) -> [String] {
    guard let text else { return [] }
    return text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
  }

  private static func ports(_ text: String, option: String) throws -> PortSet {
    do throws(PortListError) {
      return try PortSet(parsing: text)
    } catch {
      throw Failure(.usage, "\(option): \(Message.printable(error.description))")
    }
  }

  private static func networks(_ text: String?, option: String) throws -> [Network] {
    let parts = list(text)
    guard parts.count <= 4096 else { throw Failure(.usage, "\(option): more than 4096 networks") }
    return try parts.map { part in
      guard let network = Network(parsing: part) else {
        throw Failure(
          .usage,
          "\(option): '\(Message.printable(part))' is not an address or network such as 10.0.0.0/8 or 2001:db8::/32")
      }
      return network
    }
  }

  static func cgroup(_ path: String) throws(KernelError) -> CgroupLocation {
    try RawText.withPath(path) { bytes in
      Result { () throws(KernelError) in try CgroupLocation(path: bytes, name: path) }
    }.get()
  }

  private static func netns(_ text: String) throws -> UInt32 {
    if let inode = UInt32(text) { return inode }
    let path = text == "self" ? "/proc/self/ns/net" : text
    if text == "self", let own = NetworkNamespaces.own { return own }
    guard let inode = RawText.withPath(path, { NetworkNamespaces.inode(of: $0) }) else {
      throw Failure(
        .usage, "--netns: can't find \(Message.printable(path)); name self, an inode or a path such as /run/netns/x")
    }
    guard RawText.withPath(path, { NetworkNamespaces.isNamespace($0) }) else {
      throw Failure(
        .usage,
        "--netns: \(Message.printable(path)) is not a network namespace; name self, an inode or a path such as /run/netns/x"
      )
    }
    return inode
  }
}
