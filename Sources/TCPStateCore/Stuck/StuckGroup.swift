// SPDX-License-Identifier: Apache-2.0

/// By what `stuck` sums up the sockets that it found.
public enum StuckGrouping: String, Sendable, CaseIterable {
  case process, peer, port, container
}

/// Stuck sockets that belong together; each socket is in exactly one group.
public struct StuckGroup: Sendable {
  public enum Key: Hashable, Sendable {
    /// The processes that must act, by thread group id. Sockets that several processes hold are one group with all others
    /// that share a holder with them; empty if there is no such process.
    case processes([UInt32])
    /// The process that held orphans while they were traced.
    case maker(UInt32)
    case peer(IPAddress)
    /// The service's port, and whether it is at this end.
    case port(UInt16, isLocal: Bool)
    /// The container, pod or unit, where one is known.
    case workload(Workload)
    /// The cgroup's id; `nil` for minisocks.
    case cgroup(UInt64?)
  }

  public let key: Key
  public private(set) var count = 0
  /// Of these, sockets that have got stuck since watching began.
  public private(set) var newer = 0
  /// The oldest one.
  public private(set) var oldest: StuckSocket?
  /// Addresses of the other ends, in the order found.
  public private(set) var peers: [IPAddress] = []
  /// The processes that must act, or that held an orphan; those of the most sockets first.
  public var processes: [SocketHolder] {
    holders.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
  }
  /// How many sockets have each verdict.
  public private(set) var verdicts: [Verdict: Int] = [:]
  private var holders: [SocketHolder: Int] = [:]
  private var seen: Set<IPAddress> = []

  init(_ key: Key) {
    self.key = key
  }

  /// Adds a socket; the oldest must come first.
  mutating func add(_ socket: StuckSocket) {
    count += 1
    if !socket.isOlder { newer += 1 }
    verdicts[socket.verdict, default: 0] += 1
    if oldest == nil { oldest = socket }
    if seen.insert(socket.peer.address).inserted { peers.append(socket.peer.address) }
    for holder in socket.concerned { holders[holder, default: 0] += 1 }
  }

  /// Sums up sockets, the oldest of which come first; the largest group is the first.
  ///
  /// TIME-WAIT isn't among them: it is summed up by ports.
  public static func groups(of sockets: [StuckSocket], by grouping: StuckGrouping) -> [StuckGroup] {
    let families = grouping == .process ? ProcessFamilies(sockets) : ProcessFamilies([])
    var groups: [Key: StuckGroup] = [:]
    for socket in sockets where socket.state != .timeWait {
      let key = key(of: socket, grouping, families)
      groups[key, default: StuckGroup(key)].add(socket)
    }
    return groups.values.sorted { isBefore($0, $1) }
  }

  private static func isBefore(_ a: StuckGroup, _ b: StuckGroup) -> Bool {
    if a.count != b.count { return a.count > b.count }
    let (ageA, ageB) = (a.oldest?.age?.nanoseconds ?? 0, b.oldest?.age?.nanoseconds ?? 0)
    return ageA != ageB ? ageA > ageB : a.oldest?.connection ?? 0 < b.oldest?.connection ?? 0
  }

  private static func key(of socket: StuckSocket, _ grouping: StuckGrouping, _ families: ProcessFamilies) -> Key {
    switch grouping {
    case .process:
      let pids = families.members(socket.responsible.map(\.pid))
      if pids.isEmpty, let maker = socket.maker { return .maker(maker.pid) }
      return .processes(pids)
    case .peer: return .peer(socket.peer.address)
    case .port:
      // The port that connect() chose is the higher one.
      let isLocal = socket.verdict == .unaccepted || socket.verdict == .halfOpen || socket.local.port < socket.peer.port
      return .port(isLocal ? socket.local.port : socket.peer.port, isLocal: isLocal)
    case .container: return socket.workload.isUnknown ? .cgroup(socket.cgroup) : .workload(socket.workload)
    }
  }
}

extension StuckSocket {
  /// The processes that must act, each once, without descriptors; of an orphan the one that held it.
  fileprivate var concerned: [SocketHolder] {
    let processes = responsible.isEmpty ? [maker].compactMap { $0 } : responsible
    return processes.map { SocketHolder(pid: $0.pid, name: $0.name, descriptor: nil, kind: $0.kind) }
  }
}

/// Which processes hold sockets together: a socket that three of them hold is one socket of all three.
private struct ProcessFamilies {
  private var parents: [UInt32: UInt32] = [:]
  private var families: [UInt32: [UInt32]] = [:]

  init(_ sockets: [StuckSocket]) {
    for socket in sockets where socket.state != .timeWait {
      let pids = socket.responsible.map(\.pid)
      guard let first = pids.first, pids.count > 1 else { continue }
      for pid in pids { parents[root(of: pid)] = root(of: first) }
    }
    for pid in parents.keys.sorted() { families[root(of: pid), default: []].append(pid) }
  }

  private func root(of pid: UInt32) -> UInt32 {
    var pid = pid
    while let parent = parents[pid], parent != pid { pid = parent }
    return pid
  }

  /// All processes that belong to a socket's holders; a single holder stays by itself.
  func members(_ pids: [UInt32]) -> [UInt32] {
    guard let first = pids.first, pids.count > 1 else { return pids }
    return families[root(of: first)] ?? pids.sorted()
  }
}
