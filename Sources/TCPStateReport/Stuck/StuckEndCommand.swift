// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The command of iproute2 that ends stuck sockets by force. It is shown, never run.
struct StuckEndCommand {
  /// So many sockets are named by both of their ends; more by what they have in common.
  private static let named = 3
  /// Of these, so many ports or addresses are named.
  private static let alternatives = 4
  /// For so many network namespaces there is a command.
  private static let namespaces = 3

  let style: StuckStyle

  /// - Parameter sockets: those that are old enough for certain.
  /// - Returns: whole lines; none if no filter picks them out.
  func lines(_ sockets: [StuckSocket]) -> [String] {
    let sockets = sockets.filter { $0.state != .timeWait && $0.state != .listen && !$0.isMPTCPConnection }
    var byNamespace: [UInt32?: [StuckSocket]] = [:]
    for socket in sockets { byNamespace[socket.netns, default: []].append(socket) }
    let sorted = byNamespace.sorted {
      $0.value.count != $1.value.count ? $0.value.count > $1.value.count : $0.key ?? 0 < $1.key ?? 0
    }
    var commands: [String] = []
    for (netns, those) in sorted.prefix(Self.namespaces) {
      guard let call = call(netns, those), let filter = filter(those) else { continue }
      let states = TCPState.all.filter { state in those.contains { $0.state == state } }
      commands.append("sudo \(call)ss -K \(states.map { "state \(Self.name($0))" }.joined(separator: " ")) '\(filter)'")
    }
    guard !commands.isEmpty else { return [] }
    let isOne = sockets.count == 1
    var lines =
      ["To end \(isOne ? "it" : "them") by force: \(commands[0])"] + commands.dropFirst().map { "  and \($0)" }
    let processes = Set(sockets.flatMap(\.holders).map(\.pid)).count
    if processes > 0 {
      let whose = "\(isOne ? "Its" : "Their") process"
      let descriptors = "descriptor\(isOne ? "" : "s")"
      lines.append(
        processes == 1
          ? "\(whose) gets an error and keeps the \(descriptors)."
          : "\(whose)es get an error and keep the \(descriptors).")
    }
    if byNamespace.values.contains(where: { $0.count > Self.named }) {
      lines.append("It ends all sockets that match, the younger ones, too.")
    }
    return lines
  }

  /// How a command is run where the sockets are.
  private func call(_ netns: UInt32?, _ sockets: [StuckSocket]) -> String? {
    if netns == style.ownNamespace { return "" }
    // Names that need no quotes are names that `ip netns` makes.
    if let name = netns.flatMap({ style.namespaces[$0] }),
      name.unicodeScalars.allSatisfy({
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains($0))
      })
    {
      return "ip netns exec \(name) "
    }
    let pid = sockets.lazy.compactMap { $0.responsible.first?.pid }.first
    return pid.map { "nsenter --net=/proc/\($0)/ns/net " }
  }

  private func filter(_ sockets: [StuckSocket]) -> String? {
    func end(_ word: String, _ end: Endpoint) -> String { "\(word) \(EndpointText.string(end))" }
    if sockets.count <= Self.named {
      let each = sockets.map { "\(end("src", $0.local)) and \(end("dst", $0.peer))" }
      return each.count == 1 ? each[0] : each.map { "( \($0) )" }.joined(separator: " or ")
    }
    let parts = [
      Self.any(Set(sockets.map(\.local.port)).sorted().map { "sport = :\($0)" }),
      Self.any(Set(sockets.map(\.peer.address)).map { "dst \(EndpointText.bracketed($0))" }.sorted()),
      Self.any(Set(sockets.map(\.peer.port)).sorted().map { "dport = :\($0)" }),
    ].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: " and ")
  }

  private static func any(_ alternatives: [String]) -> String? {
    guard alternatives.count <= Self.alternatives else { return nil }
    return alternatives.count == 1 ? alternatives[0] : "( \(alternatives.joined(separator: " or ")) )"
  }

  /// As `ss` spells it.
  private static func name(_ state: TCPState) -> String {
    switch state {
    case .synReceived: "syn-recv"
    default: state.name(.rfc).lowercased()
    }
  }
}

extension StuckSocket {
  fileprivate var isMPTCPConnection: Bool { if case .connection = mptcp { true } else { false } }
}
