// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Sockets that need the same sentence: same state, verdict and cause.
struct StuckCase {
  let state: TCPState
  let verdict: Verdict
  let cause: StuckCause?
  /// The oldest first; never empty.
  let sockets: [StuckSocket]
  let style: StuckStyle

  private struct Kind: Hashable {
    let state: TCPState
    let verdict: Verdict
    let cause: StuckCause?
  }

  /// - Parameter sockets: the oldest first, as the cases will be.
  static func cases(of sockets: [StuckSocket], _ style: StuckStyle) -> [StuckCase] {
    var order: [Kind] = []
    var byKind: [Kind: [StuckSocket]] = [:]
    for socket in sockets {
      let kind = Kind(state: socket.state, verdict: socket.verdict, cause: socket.cause)
      if byKind[kind] == nil { order.append(kind) }
      byKind[kind, default: []].append(socket)
    }
    return order.map {
      StuckCase(state: $0.state, verdict: $0.verdict, cause: $0.cause, sockets: byKind[$0] ?? [], style: style)
    }
  }

  var oldest: StuckSocket { sockets[0] }
  var isOne: Bool { sockets.count == 1 }

  /// `the socket`, `37 sockets`
  var socketsText: String { isOne ? "the socket" : StuckStyle.count(sockets.count, "socket") }

  /// ` on 37 sockets`; nothing for one.
  var onSockets: String { isOne ? "" : " on \(socketsText)" }

  /// The processes that must act, those of the most sockets first.
  var processes: [SocketHolder] {
    var counts: [SocketHolder: Int] = [:]
    for socket in sockets {
      for process in socket.responsible {
        counts[SocketHolder(pid: process.pid, name: process.name, descriptor: nil, kind: process.kind), default: 0] += 1
      }
    }
    return counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
  }

  /// `nginx/812`, `nginx/812 and worker/813`, `6 nginx processes`, `nginx/812, worker/813 and 4 more`
  var owners: String { verdict == .orphan ? "this side" : style.group(processes) }

  var has: String { isPlural ? "have" : "has" }
  var isOrAre: String { isPlural ? "are" : "is" }
  private var isPlural: Bool { verdict != .orphan && processes.count > 1 }

  /// `nginx/812's`; `the` if nobody is known.
  var whose: String { processes.isEmpty && verdict != .orphan ? "the" : "\(owners)'s" }

  /// `10.0.0.9:40001`, `10.0.0.9`, `3 peers`
  var peer: String {
    if isOne { return style.endpoint(oldest.peer) }
    let ends = Set(sockets.map(\.peer))
    if ends.count == 1 { return style.endpoint(oldest.peer) }
    let addresses = Set(ends.map(\.address))
    return addresses.count == 1 ? AddressText.string(oldest.peer.address) : StuckStyle.count(addresses.count, "peer")
  }

  var peerHas: String { Set(sockets.map(\.peer.address)).count > 1 ? "have" : "has" }

  /// ` ≥ 3 h 12 m ago`, for several `, the first ≥ 3 h 12 m ago`; nothing if not known.
  var ago: String {
    guard oldest.age != nil else { return "" }
    return "\(isOne ? "" : ", the first") \(style.age(of: oldest)) ago"
  }

  func sum(_ bytes: (StuckSocket) -> UInt64?) -> UInt64 {
    sockets.reduce(0) { $0.saturatingAdding(bytes($1) ?? 0) }
  }

  /// ` after 3 retransmissions`, of the socket with most.
  var retried: String {
    let most = sockets.compactMap(\.timeouts).max() ?? 0
    guard most > 0 else { return "" }
    return " after \(isOne ? "" : "up to ")\(StuckStyle.count(Int(most), "retransmission"))"
  }

  /// ` for ≥ 6.00 s`, for several `, one for ≥ 6.00 s`, of the socket for which it is longest.
  var shutFor: String {
    guard let longest = sockets.compactMap(\.windowShut).max() else { return "" }
    return "\(isOne ? "" : ", one") for \(style.duration(Stay(nanoseconds: longest, kind: .atLeast)))"
  }
}
