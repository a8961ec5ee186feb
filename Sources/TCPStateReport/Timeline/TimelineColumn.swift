// SPDX-License-Identifier: Apache-2.0

/// A column of the timeline. The cases are in the order shown.
enum TimelineColumn: Int, CaseIterable {
  case time, role, owner, local, localPort, peer, transition, stayed, state
  case rtt, sent, received, retransmits, container, netns

  var heading: StaticString {
    switch self {
    case .time: "TIME"
    case .role: "ROLE"
    case .owner: "OWNER"
    case .local: "LOCAL"
    case .localPort: "PORT"
    case .peer: "PEER"
    case .transition: "TRANSITION"
    case .stayed: "STAYED"
    case .state: "STATE"
    case .rtt: "RTT"
    case .sent: "SENT"
    case .received: "RECEIVED"
    case .retransmits: "RETRANS"
    case .container: "CONTAINER"
    case .netns: "NETNS"
    }
  }

  /// Whether the cells are numbers, which line up at their last digit.
  var alignsRight: Bool {
    switch self {
    case .localPort, .stayed, .rtt, .sent, .received, .retransmits, .netns: true
    default: false
    }
  }

  /// Whether a cell that is too wide can lose something in its middle.
  var canBeShortened: Bool { self == .owner || self == .local || self == .peer }

  /// Spaces before it, unless it is the first.
  var gap: Int { self == .state ? 1 : 2 }

  /// The least width, in terminal columns.
  var leastWidth: Int {
    switch self {
    case .time: 12
    case .role: 6
    case .owner: 11
    case .local: 15
    case .localPort: 6
    case .peer: 18
    case .transition: 26  // SYN-RECEIVED → ESTABLISHED
    case .stayed: 8
    case .state: 14  // → SYN-RECEIVED
    case .rtt: 7
    case .sent, .received: 9
    case .retransmits: 7
    case .container: 16
    case .netns: 10
    }
  }
}
