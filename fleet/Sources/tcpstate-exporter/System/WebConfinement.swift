// SPDX-License-Identifier: Apache-2.0
import CLinux
import TCPStateKernel

/// What the thread that answers requests gives up: every capability, for good, and so do threads that it starts.
enum WebConfinement {
  /// Called on that thread, before it accepts a connection.
  static func enter() {
    // A thread that has none already needs no permission to have none; whatever fails leaves less than it had.
    _ = tcpstate_forbid_new_privileges()
    Capabilities.dropAll()
  }
}
