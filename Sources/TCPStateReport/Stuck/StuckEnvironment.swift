// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A socket's fields as environment variables of the command that `--exec` runs: `TCPSTATE_PROCESS_PID=812`.
public enum StuckEnvironment {
  /// One `NAME=value` per known field, named like the CSV columns. Process names are
  /// passed unchanged, so a script must quote them.
  public static func variables(
    _ socket: StuckSocket, _ event: StuckEvent, time: UInt64, cgroups: [UInt64: String]
  ) -> [String] {
    var plain = CSVWriter(columns: [])
    var variables: [String] = []
    StuckValues(time: time, cgroups: cgroups, event: event).forEach(StuckField.allCases, of: socket) { field, value in
      let text: String
      switch value {
      case .field(.unknown): return
      case .field(.name(let name)): text = name.description
      case .field(.interned(let name)): text = name.description
      case .field(let value):
        var buffer = ByteBuffer(capacity: 64)
        plain.append(cell: value, to: &buffer)
        text = buffer.text
      case .word(let word): text = word
      case .text(let foreign): text = foreign
      case .holders(let holders): text = StuckValue.text(of: holders)
      }
      variables.append("TCPSTATE_\(field.csvName.uppercased())=\(text)")
    }
    return variables
  }
}
