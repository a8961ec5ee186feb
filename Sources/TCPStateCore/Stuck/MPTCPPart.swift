// SPDX-License-Identifier: Apache-2.0
/// What a socket is in an MPTCP connection (RFC 8684): the connection, which the process holds, or one of the TCP
/// connections that carry it, which no descriptor refers to.
public enum MPTCPPart: Hashable, Sendable {
  /// The connection; how many TCP connections the reading found below it, `nil` if it didn't look.
  case connection(subflows: Int?)
  /// A TCP connection; the connection id of the one above it, `nil` if no process holds that.
  case subflow(of: UInt64?)
}
