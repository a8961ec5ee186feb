// SPDX-License-Identifier: Apache-2.0
/// Sockets in TIME-WAIT, by the ports that they use up.
extension StuckSurvey {
  /// Takes a local port in the ephemeral range as chosen by connect(), unless there is a listener on it.
  func timeWaitGroups(_ timeWait: [StuckSocket], _ supplies: [UInt32: PortSupply]) -> [TimeWaitGroup] {
    var grouping = TimeWaitGrouping()
    for (netns, supply) in supplies { grouping.supplies[netns] = supply.without(boundPorts[netns] ?? []) }
    var listening: [UInt32: Set<UInt16>] = [:]
    for found in sockets where found.listener != nil {
      guard let netns = found.socket.netns else { continue }
      listening[netns, default: []].insert(found.socket.local.port)
    }
    func isChosen(_ netns: UInt32?, _ port: UInt16) -> Bool {
      guard let netns, let supply = supplies[netns] else { return false }
      return supply.range.contains(port) && listening[netns]?.contains(port) != true
    }
    for socket in timeWait {
      grouping.add(socket, connected: isChosen(socket.netns, socket.local.port))
    }
    for (netns, local, peer) in bystanders.values {
      grouping.addOther(netns: netns, local: local, peer: peer, connected: isChosen(netns, local.port))
    }
    return grouping.groups
  }
}
