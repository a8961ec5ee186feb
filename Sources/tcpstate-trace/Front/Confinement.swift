import CLinux
import Glibc
import TCPStateKernel

/// What a command that reads recordings gives up before it looks at the first foreign byte.
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
    // Whatever opens something later does it now.
    _ = PatientDescriptor.standardOutput
    Message.prepare()
    tzset()
    _ = CallFilter.install()
  }
}
