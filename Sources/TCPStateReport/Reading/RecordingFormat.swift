/// What a recording is written in; told by its first line.
public enum RecordingFormat: Sendable {
  /// Ours, with any of our columns.
  case csv
  /// Ours, or CSV that another tool made JSON Lines of.
  case jsonLines
  /// By bcc's or libbpf-tools' tcpstates: its table or its CSV.
  case tcpstates
}
