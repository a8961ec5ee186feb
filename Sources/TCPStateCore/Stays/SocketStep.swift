// SPDX-License-Identifier: Apache-2.0

/// What one row says about which sockets are open, to be applied to `OpenSockets` later.
public struct SocketStep: Sendable, BitwiseCopyable {
  let connection: UInt64
  /// The row's time; 0 if it has none.
  let time: UInt64
  /// The caller's group.
  var group: Int32
  /// The state that the socket must have been in before; 0 if the row doesn't say.
  let old: UInt8
  let new: UInt8
  /// Whether the state was entered at that time exactly.
  let isExact: Bool

  @inline(__always)
  init(_ row: borrowing Transition, group: Int32) {
    connection = row.connection
    time = row.time
    isExact = row.source == .event
    self.group = group
    old = row.isFound ? 0 : row.old.number
    new = row.new.number
  }

  /// As if the socket were closed.
  @inline(__always)
  init(forgetting connection: UInt64) {
    self.connection = connection
    time = 0
    isExact = false
    group = 0
    old = 0
    new = TCPState.closed.number
  }
}
