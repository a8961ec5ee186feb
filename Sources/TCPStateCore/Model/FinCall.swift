// SPDX-License-Identifier: Apache-2.0
/// Which system call ended an end's sending, so that it sent its FIN.
public enum FinCall: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case close
  /// shutdown(SHUT_WR) or shutdown(SHUT_RDWR).
  case shutdown

  public var name: StaticString { self == .close ? "close" : "shutdown" }
}
