// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateKernel
import TCPStateProgram

/// What a command gives up: one that reads recordings, before it looks at the first foreign byte; one that traces, once
/// everything is attached.
enum Confinement {
  /// Gives up every capability for good, so that what it starts has none either.
  ///
  /// Comes after everything is open: root without capabilities can't open other users' files.
  static func dropRights() {
    // A process that has none already needs no permission to have none; whatever fails leaves less than it had.
    _ = tcpstate_forbid_new_privileges()
    Capabilities.dropAll()
  }

  /// Leaves only what reading needs. Comes after the tools are started that decompress.
  static func filterCalls() {
    openAhead()
    _ = CallFilter.install(.reading)
  }

  /// Leaves only what tracing needs. Comes after the programs are attached, and outputs and the terminal are open.
  ///
  /// Not for commands that start others, which would have the filter too, or that may have to connect again.
  static func filterTracing() {
    openAhead()
    // Without that, only CAP_SYS_ADMIN may install a filter.
    _ = tcpstate_forbid_new_privileges()
    _ = CallFilter.install(.tracing)
  }

  /// Whatever opens something later does it now.
  private static func openAhead() {
    _ = PatientDescriptor.standardOutput
    Message.prepare()
    tzset()
  }
}
