// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A column of `top`'s list. The order here is that on the screen.
public enum TopColumn: String, Sendable, CaseIterable, Hashable {
  case age, state, owner, container, local, peer, sent, received, sending, receiving, rtt, retransmits, states

  /// How a column is drawn, and which of them a narrow terminal leaves out.
  struct Look {
    let title: String
    /// One line for the screen on which columns are chosen.
    let meaning: String
    /// Columns of the terminal that it needs.
    let least: Int
    /// And takes if there is room.
    let most: Int
    var right = false
    /// Without a choice it is shown from this width of the terminal on.
    var from = 0
    /// Columns with the highest number are left out first.
    let place: Int
  }

  var look: Look {
    switch self {
    case .age:
      Look(title: "AGE", meaning: "time in the state", least: 12, most: 12, right: true, place: 2)
    case .state: Look(title: "STATE", meaning: "the state", least: 12, most: 12, place: 0)
    case .owner: Look(title: "OWNER", meaning: "the process that holds it", least: 11, most: 24, place: 1)
    case .container:
      Look(
        title: "CONTAINER", meaning: "its container, pod or systemd unit", least: 12, most: WorkloadText.width,
        from: 172,
        place: 12)
    case .local:
      Look(
        title: "LOCAL", meaning: "this end; the port alone where it is narrow", least: 6, most: 22, from: 72, place: 4)
    case .peer: Look(title: "PEER", meaning: "the other end", least: 21, most: 22, place: 3)
    case .sent:
      Look(title: "SENT", meaning: "payload sent", least: 12, most: 13, right: true, from: 150, place: 8)
    case .received:
      Look(title: "RECEIVED", meaning: "payload received", least: 12, most: 13, right: true, from: 150, place: 9)
    case .sending:
      Look(title: "SENT/S", meaning: "payload sent per second", least: 9, most: 9, right: true, from: 120, place: 6)
    case .receiving:
      Look(title: "RECV/S", meaning: "payload received per second", least: 9, most: 9, right: true, from: 120, place: 7)
    case .rtt:
      Look(title: "RTT", meaning: "smoothed round-trip time", least: 7, most: 7, right: true, from: 140, place: 10)
    case .retransmits:
      Look(title: "RETR", meaning: "segments retransmitted", least: 6, most: 6, right: true, from: 150, place: 11)
    case .states:
      Look(title: "STATES", meaning: "its states, drawn to scale", least: 6, most: .max, place: 5)
    }
  }

  /// Shown without a choice, if there is room.
  static let usual = Set(allCases)

  /// The order that a click on its title gives.
  var order: TopView.Order? {
    switch self {
    case .age: .age
    case .state: .state
    case .owner: .process
    case .peer: .peer
    case .sent, .received: .bytes
    case .retransmits: .retransmits
    case .container, .local, .sending, .receiving, .rtt, .states: nil
    }
  }

  /// Reads a list of names with commas; `default` for those that fit the width.
  ///
  /// - Returns: the names that aren't columns, or the choice.
  public static func parse(_ text: String) -> Result<Set<TopColumn>?, UnknownNames> {
    if text == "default" { return .success(nil) }
    if text == "all" { return .success(Set(allCases)) }
    var columns: Set<TopColumn> = []
    var unknown: [String] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      if let column = TopColumn(rawValue: String(name)) { columns.insert(column) } else { unknown.append(String(name)) }
    }
    return unknown.isEmpty && !columns.isEmpty ? .success(columns) : .failure(UnknownNames(names: unknown))
  }

  public struct UnknownNames: Error {
    public let names: [String]
  }

  /// The names for messages and help.
  public static let names = allCases.map(\.rawValue).joined(separator: ", ")
}
