// SPDX-License-Identifier: Apache-2.0

/// Where a report comes from: the only part of it that isn't from the rows.
public struct ReportOrigin: Sendable {
  /// The traced host's name; `nil` for a recording, which doesn't say.
  public var host: String?
  /// The traced kernel's release, likewise.
  public var kernel: String?
  /// Of this program.
  public var version: String
  /// The command as it was typed, with its filters.
  public var command: String
  /// The recordings that were read; empty for a live trace.
  public var recordings: [String]

  public init(version: String, command: String, recordings: [String] = [], host: String? = nil, kernel: String? = nil) {
    self.host = host
    self.kernel = kernel
    self.version = version
    self.command = command
    self.recordings = recordings
  }

  /// Appends one object. Whatever the texts contain, they stay text.
  func append(to buffer: inout ByteBuffer) {
    buffer.append("{\"host\":")
    buffer.append(json: host)
    buffer.append(",\"kernel\":")
    buffer.append(json: kernel)
    buffer.append(",\"version\":")
    buffer.append(json: version)
    buffer.append(",\"command\":")
    buffer.append(json: command)
    buffer.append(",\"recordings\":[")
    for (index, name) in recordings.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(json: name)
    }
    buffer.append("]}")
  }
}
