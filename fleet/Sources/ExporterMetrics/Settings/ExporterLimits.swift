// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// How much of what is exported.
package struct ExporterLimits: Sendable {
  /// The states in which a connection can be stuck.
  package var stuckStates: [TCPState] = [.closeWait, .finWait1, .finWait2, .closing, .lastAck]
  /// Nanoseconds.
  package var stuckThreshold: UInt64 = 60_000_000_000
  package var processes = 20
  package var containers = 20
  package var listeners = 200
  package var portPairs = 5
  package var wantsStuck = true
  package var wantsListeners = true
  package var wantsPorts = true
  /// Whether OpenMetrics has `_created` series.
  package var writesCreated = false

  package init() {}
}
