// SPDX-License-Identifier: Apache-2.0

/// The format of a recording; its first line shows it.
public enum RecordingFormat: Sendable {
  /// Ours, with any of our columns.
  case csv
  /// Ours, or what another tool made of our CSV.
  case jsonLines
  /// The table or CSV of tcpstates from bcc or libbpf-tools.
  case tcpstates
}
