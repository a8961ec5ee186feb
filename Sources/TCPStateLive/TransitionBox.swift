// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Owns one transition at a fixed place in memory.
///
/// The tracker fills it and the receiver reads it there: as a member of the stream it would be copied out and
/// back for each event, because the stream's other members change at the same time.
struct TransitionBox: ~Copyable {
  /// Valid as long as the box.
  let pointer: UnsafeMutablePointer<Transition>

  init() {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: Transition())
  }

  deinit {
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }
}
