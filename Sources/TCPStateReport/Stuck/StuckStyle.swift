// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the tables of `stuck` need besides the reading.
public struct StuckStyle: Sendable {
  public var table: TableStyle
  /// The reader's network namespace; the column is left out if all sockets are in it.
  public var ownNamespace: UInt32?
  /// Names of network namespaces by inode.
  public var namespaces: [UInt32: String]
  /// Cgroup paths by id.
  public var cgroups: [UInt64: String]

  public init(
    table: TableStyle = TableStyle(), ownNamespace: UInt32? = nil, namespaces: [UInt32: String] = [:],
    cgroups: [UInt64: String] = [:]
  ) {
    self.table = table
    self.ownNamespace = ownNamespace
    self.namespaces = namespaces
    self.cgroups = cgroups
  }

  func owner(_ holder: SocketHolder) -> String {
    OwnerText.string(name: holder.name, pid: holder.pid, kind: holder.kind, glyphs: table.glyphs)
  }

  /// A holder with its descriptor: `nginx/812 fd 14`.
  func holder(_ holder: SocketHolder) -> String {
    owner(holder) + (holder.descriptor.map { " fd \($0)" } ?? "")
  }

  /// `nginx/812`, or `nginx/812 and 3 more`.
  func owners(_ holders: [SocketHolder]) -> String {
    guard let first = holders.first else { return "an unknown process" }
    return holders.count == 1 ? owner(first) : "\(owner(first)) and \(holders.count - 1) more"
  }

  /// Processes as a group: `nginx/812`, `nginx/812 and worker/813`, `6 nginx processes`, `nginx/812, worker/813 and 4 more`.
  func group(_ processes: [SocketHolder]) -> String {
    guard let first = processes.first else { return "an unknown process" }
    if processes.count > 2, processes.allSatisfy({ $0.name == first.name }) {
      return "\(processes.count) \(OwnerText.string(name: first.name, pid: nil, glyphs: table.glyphs)) processes"
    }
    let shown = processes.count > 3 ? processes.prefix(2) : processes[...]
    var names = shown.map { owner($0) }
    let last = shown.count < processes.count ? "\(processes.count - shown.count) more" : names.removeLast()
    return names.isEmpty ? last : "\(names.joined(separator: ", ")) and \(last)"
  }

  /// The processes that made the sockets, those with the most first: `curl/812`, `curl (94 processes)`,
  /// `curl/812, wget/3 and 2 more`.
  func makers(_ makers: [SocketHolder: UInt64]) -> String {
    let sorted = makers.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
    guard let first = sorted.first else { return table.glyphs.unknown.description }
    if sorted.count > 1, sorted.allSatisfy({ $0.name == first.name }) {
      return "\(OwnerText.string(name: first.name, pid: nil, glyphs: table.glyphs)) (\(sorted.count) processes)"
    }
    let named = sorted.prefix(2).map { owner($0) }.joined(separator: ", ")
    return sorted.count > 2 ? "\(named) and \(sorted.count - 2) more" : named
  }

  func duration(_ stay: Stay?) -> String {
    guard let stay else { return table.glyphs.unknown.description }
    return DurationText.string(stay.nanoseconds, kind: stay.kind, glyphs: table.glyphs)
  }

  /// How long a socket has been in its state: one time, or its bounds if they are far apart.
  func age(of socket: StuckSocket) -> String {
    let least = socket.age?.nanoseconds ?? 0
    guard let most = socket.atMost, socket.age?.kind != .exact, most > least + max(least / 10, 500_000_000)
    else { return duration(socket.age) }
    return least == 0 ? "up to \(duration(most))" : "\(duration(least)) to \(duration(most))"
  }

  /// The age by one of its bounds alone.
  func shortAge(of socket: StuckSocket) -> String {
    if let age = socket.age { return duration(age) }
    return socket.atMost.map { "< \(duration($0))" } ?? duration(nil)
  }

  func duration(_ nanoseconds: UInt64) -> String { DurationText.string(nanoseconds, glyphs: table.glyphs) }

  func endpoint(_ endpoint: Endpoint) -> String { EndpointText.string(endpoint, glyphs: table.glyphs) }

  func bytes(_ count: UInt64?) -> String {
    count.map { ByteCountText.string($0) } ?? table.glyphs.unknown.description
  }

  /// The namespace's name, or its inode if it has none.
  func namespace(_ inode: UInt32?) -> String {
    guard let inode else { return table.glyphs.unknown.description }
    if let name = namespaces[inode] { return TerminalText.visible(name) }
    return inode == ownNamespace ? "self" : "\(inode)"
  }

  /// - Parameter nouns: the plural, where it isn't made with an s.
  static func count(_ number: Int, _ noun: String, _ nouns: String? = nil) -> String {
    "\(NumberText.string(UInt64(number))) \(number == 1 ? noun : nouns ?? noun + "s")"
  }
}
