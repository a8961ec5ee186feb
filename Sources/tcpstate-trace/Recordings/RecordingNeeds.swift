// SPDX-License-Identifier: Apache-2.0
import TCPStateReport

/// The columns that a command can't do without.
struct RecordingNeeds {
  let command: String
  /// One column of each must be there.
  let columns: [[Column]]

  /// What `present` lacks.
  func missing(in present: [Column?], _ format: RecordingFormat) -> [Column] {
    columns.filter { choice in
      // JSON Lines leave out what isn't known, so that only what is always known can be missed.
      if format == .jsonLines, !choice.contains(where: Self.isAlwaysKnown) { return false }
      return !choice.contains { present.contains($0) }
    }.map { $0[0] }
  }

  private static func isAlwaysKnown(_ column: Column) -> Bool {
    switch column {
    case .timestamp, .timestampUnixNano, .sequence, .connectionID, .role, .networkType, .stateOld, .stateNew, .source:
      true
    default: false
    }
  }
}

extension RecordingNeeds {
  /// What it takes to know which sockets were open, and since when.
  static func sockets(for command: String) -> Self {
    Self(
      command: command,
      columns: [
        [.timestampUnixNano, .timestamp], [.connectionID], [.stateOld], [.stateNew], [.localAddress], [.localPort],
        [.peerAddress], [.peerPort],
      ])
  }
}
