// SPDX-License-Identifier: Apache-2.0

/// A column of the timeline. The cases are in the order shown.
enum TimelineColumn: Int, CaseIterable {
  case time, role, owner, workload, local, localPort, peer, transition, stayed, state
  case rtt, sent, received, retransmits, netns

  var heading: StaticString {
    switch self {
    case .time: "TIME"
    case .role: "ROLE"
    case .owner: "OWNER"
    case .workload: "CONTAINER"
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

  /// The width in terminal columns until a wider cell arrives.
  var initialWidth: Int {
    switch self {
    case .time: 15
    case .role: 6
    case .owner: 9
    case .workload: 9
    case .local: 14
    case .localPort: 6
    case .peer: 18
    case .transition: 26  // SYN-RECEIVED → ESTABLISHED
    case .stayed: 9  // ≥ 2 m 4 s
    case .state: 14  // → SYN-RECEIVED
    case .rtt: 7
    case .sent, .received: 9
    case .retransmits: 7
    case .netns: 10
    }
  }
}
