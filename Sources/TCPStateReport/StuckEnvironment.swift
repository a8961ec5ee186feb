import TCPStateCore

/// A socket's fields for a command that is run about it: `TCPSTATE_PROCESS_PID=812`.
public enum StuckEnvironment {
  /// One `NAME=value` for each known field, named as the columns of CSV; names of
  /// processes are passed as they are, so use them quoted.
  public static func variables(
    _ socket: StuckSocket, _ event: StuckEvent, time: UInt64, cgroups: [UInt64: String]
  ) -> [String] {
    let values = StuckValues(time: time, cgroups: cgroups, event: event)
    return StuckField.allCases.compactMap { field in
      let text: String
      switch values.value(field, of: socket) {
      case .unknown: return nil
      case .number(let number), .wide(let number): text = "\(number)"
      case .word(let word): text = word
      case .text(let foreign): text = foreign
      case .holders(let holders):
        text = holders.map { "\($0.name)/\($0.pid):\($0.descriptor)" }.joined(separator: " ")
      }
      return "TCPSTATE_\(field.rawValue.uppercased())=\(text)"
    }
  }
}
