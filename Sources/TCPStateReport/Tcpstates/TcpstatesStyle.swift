// SPDX-License-Identifier: Apache-2.0

/// Formats and columns of tcpstates, by its options.
public struct TcpstatesStyle: Sendable {
  /// `-T`: the local time of day.
  public var time = false
  /// `-t`: seconds since the first row.
  public var timestamp = false
  /// `-w`: an IP column, and room for IPv6 addresses.
  public var wide = false
  /// `-s`: CSV instead of the table.
  public var csv = false
  /// Whether control characters of names are shown as text rather than sent.
  public var terminalSafe = false
  /// Whether times are in UTC; BCC's are local.
  public var utc = false

  public init() {}
}
