// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The lines of `top`'s list: filtered and sorted, or grouped.
struct TopList {
  struct Group {
    var name: String
    var count = 0
    var oldest: Stay?
    /// How many are in each state, by kernel number.
    var states = [Int](repeating: 0, count: TCPState.arraySize)
  }

  private let all: [TopBoard.Row]
  /// Indices of the listed rows, in their order: sorting indices is cheaper than sorting rows.
  private let places: [Int]
  let groups: [Group]

  init(_ board: TopBoard, _ view: TopView) {
    let needle = view.filter.lowercased()
    all = board.rows
    var places = board.rows.indices.filter { index in
      let facts = board.rows[index].facts
      guard facts.new != .listen, Self.matches(facts, needle) else { return false }
      return view.group == nil || Self.name(facts, view.grouping) == view.group
    }
    guard !view.showsGroups else {
      self.places = []
      groups = Self.groups(places.map { board.rows[$0] }, by: view.grouping)
      return
    }
    groups = []
    places.sort { Self.comesFirst(board.rows[$0].facts, board.rows[$1].facts, view.order) }
    self.places = places
  }

  var count: Int { places.isEmpty ? groups.count : places.count }

  /// The row listed at this place.
  subscript(index: Int) -> TopBoard.Row { all[places[index]] }

  /// What the listed lines stand for.
  var lines: [TopView.Line] {
    groups.isEmpty ? places.map { .connection(all[$0].facts.connection) } : groups.map { .group($0.name) }
  }

  /// Whether any text of the line contains the filter.
  private static func matches(_ row: Transition, _ needle: String) -> Bool {
    guard !needle.isEmpty else { return true }
    return OwnerText.string(name: row.ownerName, pid: row.ownerPID).lowercased().contains(needle)
      || row.new.name(.rfc).lowercased().contains(needle)
      || EndpointText.string(row.local).contains(needle) || EndpointText.string(row.peer).contains(needle)
  }

  private static func comesFirst(_ a: Transition, _ b: Transition, _ order: TopView.Order) -> Bool {
    let (ageA, ageB) = (a.stay?.nanoseconds ?? 0, b.stay?.nanoseconds ?? 0)
    let byAge = ageA != ageB ? ageA > ageB : a.connection < b.connection
    switch order {
    case .age: return byAge
    case .state: return a.new != b.new ? rank(a.new) < rank(b.new) : byAge
    case .process:
      let (pidA, pidB) = (a.ownerPID ?? .max, b.ownerPID ?? .max)
      guard a.ownerName == b.ownerName else { return a.ownerName.description < b.ownerName.description }
      return pidA != pidB ? pidA < pidB : byAge
    case .peer:
      let (peerA, peerB) = (a.peer.address, b.peer.address)
      guard peerA == peerB else { return (peerA.high, peerA.low) < (peerB.high, peerB.low) }
      return a.peer.port != b.peer.port ? a.peer.port < b.peer.port : byAge
    case .bytes:
      let (bytesA, bytesB) = (bytes(a), bytes(b))
      return bytesA != bytesB ? bytesA > bytesB : byAge
    case .retransmits:
      let (countA, countB) = (a.retransmits ?? 0, b.retransmits ?? 0)
      return countA != countB ? countA > countB : byAge
    }
  }

  static func bytes(_ row: Transition) -> UInt64 { (row.bytesSent ?? 0).saturatingAdding(row.bytesReceived ?? 0) }

  private static func rank(_ state: TCPState) -> Int {
    TCPState.all.firstIndex(of: state) ?? TCPState.all.count + Int(state.number)
  }

  /// The name of the group that a connection belongs to.
  private static func name(_ facts: Transition, _ grouping: TopView.Grouping) -> String {
    switch grouping {
    case .process: OwnerText.string(name: facts.ownerName, pid: facts.ownerPID)
    case .peer: AddressText.string(facts.peer.address)
    default: ":\(facts.role == .client ? facts.peer.port : facts.local.port)"
    }
  }

  private static func groups(_ rows: [TopBoard.Row], by grouping: TopView.Grouping) -> [Group] {
    var groups: [String: Group] = [:]
    for row in rows {
      let facts = row.facts
      let name = Self.name(facts, grouping)
      var group = groups[name] ?? Group(name: name)
      group.count += 1
      if facts.new.isKnown { group.states[Int(facts.new.number)] += 1 }
      if let stay = facts.stay, stay.nanoseconds > group.oldest?.nanoseconds ?? 0 { group.oldest = stay }
      groups[name] = group
    }
    return groups.values.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
  }
}
