// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What `stuck` says of sockets whose age is known within bounds only.
public struct StuckNote {
  private let query: StuckQuery
  private let reading: StuckReading

  public init(_ query: StuckQuery, _ reading: StuckReading) {
    self.query = query
    self.reading = reading
  }

  /// One line each, without line ends.
  public var lines: [String] {
    var lines: [String] = []
    if !reading.uncertain.isEmpty {
      lines.append("\(sentence(reading.uncertain.count, query.states.subtracting(Self.lasting)))\(reason).")
    }
    if reading.unlisted > 0 {
      lines.append(
        "\(sentence(reading.unlisted, query.states.intersection(Self.lasting))): the kernel doesn't keep when that began; "
          + "--older-than 0s lists all.")
    }
    return lines
  }

  /// States that are meant to last.
  private static let lasting: Set<TCPState> = [.established, .listen]

  private func sentence(_ count: Int, _ states: Set<TCPState>) -> String {
    "\(StuckStyle.count(count, "socket")) may have been in \(Self.names(states)) for "
      + "\(DurationText.string(query.olderThan)) or longer"
  }

  /// What hides the time most often.
  private var reason: String {
    if reading.uncertain.contains(where: { $0.state == .closeWait && $0.hasKeepalive == true }) {
      return ": answers to keepalive probes hide when the peer closed; stuck --watch shows exact ages from its start on"
    }
    return ", listed with the bounds of their age; stuck --watch shows exact ages from its start on"
  }

  /// `FIN-WAIT-1, FIN-WAIT-2 or LAST-ACK`
  public static func names(_ states: Set<TCPState>) -> String {
    let names = TCPState.all.filter { states.contains($0) }.map { $0.name(.rfc) }
    guard names.count > 1, let last = names.last else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}
