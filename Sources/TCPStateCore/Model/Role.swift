// SPDX-License-Identifier: Apache-2.0

/// Which end of a connection a socket is.
public enum Role: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case unknown
  /// Active open: it sent the first SYN.
  case client
  /// Passive open: a listener's child.
  case server
  case listener

  public var name: StaticString {
    switch self {
    case .unknown: "unknown"
    case .client: "client"
    case .server: "server"
    case .listener: "listener"
    }
  }
}

/// Which end sent the first FIN, as seen from this socket.
public enum Closer: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case active
  case passive
  /// The FINs crossed (simultaneous close).
  case both

  public var name: StaticString {
    switch self {
    case .active: "active"
    case .passive: "passive"
    case .both: "both"
    }
  }
}
