// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Connections of `top`'s list that have something in common.
public struct TopGroup: Sendable {
  /// What they have in common.
  public enum Key: Hashable, Sendable {
    case process(ShortName, UInt32?)
    case peer(IPAddress)
    /// The server's port.
    case port(UInt16)
    /// Its container, pod or unit.
    case container(Workload)

    init(_ row: TopRow, _ grouping: TopView.Grouping) {
      switch grouping {
      case .peer: self = .peer(row.peer.address)
      case .port: self = .port(row.role == .client ? row.peer.port : row.local.port)
      case .container: self = .container(row.workload)
      case .none, .process: self = .process(row.ownerName, row.ownerPID)
      }
    }

    func name(_ glyphs: Glyphs) -> String {
      switch self {
      case .process(let name, let pid): OwnerText.string(name: name, pid: pid, glyphs: glyphs)
      case .peer(let address): AddressText.string(address)
      case .port(let port): ":\(port)"
      case .container(let workload):
        WorkloadText.short(workload, width: 36, glyphs: glyphs) ?? glyphs.unknown.description
      }
    }
  }

  var key: Key
  var count = 0
  var oldest: Stay?
  /// How many are in each state, by kernel number.
  var states = [Int](repeating: 0, count: TCPState.arraySize)

  var closeWait: Int { states[Int(TCPState.closeWait.number)] }

  mutating func add(_ row: TopRow) {
    count += 1
    if row.state.isKnown { states[Int(row.state.number)] += 1 }
    if let stay = row.stay, stay.nanoseconds > oldest?.nanoseconds ?? 0 { oldest = stay }
  }

  /// Those with the most in CLOSE-WAIT first, then the largest.
  static func sorted(_ groups: some Collection<TopGroup>) -> [TopGroup] {
    let named = groups.map { (group: $0, name: $0.key.name(.unicode)) }
    return named.sorted { a, b in
      (b.group.closeWait, b.group.count, a.name) < (a.group.closeWait, a.group.count, b.name)
    }.map(\.group)
  }
}
