// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

extension KernelSource {
  /// Reads what single full sockets count now, as `ss -ti` shows it, in microseconds each.
  ///
  /// - Returns: by cookie. Sockets that are gone, or whose namespace is out of reach, aren't there.
  public func readCounters(of sockets: [SocketName]) throws(KernelError) -> [UInt64: SocketCounters] {
    let groups = Dictionary(grouping: sockets, by: \.netns)
    var counters: [UInt64: SocketCounters] = [:]
    let own = NetworkNamespaces.own ?? 0
    for (netns, path) in try finder.find(Set(groups.keys).subtracting([own])).merging(
      [own: ""], uniquingKeysWith: { $1 })
    {
      guard let group = groups[netns] else { continue }
      _ = try NetworkNamespaces.inside(netns, path: path) { () throws(KernelError) in
        guard let query = SocketQuery() else { return }
        for name in group { counters[name.cookie] = query.counters(of: name) }
      }
    }
    return counters
  }
}
