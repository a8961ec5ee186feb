// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// What comes before everything else, so that nothing that the caller has left behind changes what the program does.
enum StartUp {
  /// Variables of ours, which `--exec` sets: a forged one must not reach the command.
  private static let prefix = "TCPSTATE_"
  /// Except the exporter's, which `serve` runs: they are its options.
  private static let exporterPrefix = "TCPSTATE_EXPORTER_"

  static func prepare() {
    openStandardDescriptors()
    resetSignals()
    clearVariables()
  }

  /// Closed ones would be given to the first files that are opened, and messages would land in these.
  ///
  /// They are opened the wrong way round: whoever needs one gets EBADF, as if it were still closed.
  private static func openStandardDescriptors() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest free number is this one, because those below are open.
      let opened = open("/dev/null", descriptor == 0 ? O_WRONLY : descriptor == 1 ? O_RDONLY : O_WRONLY)
      if opened != descriptor { Glibc.exit(ExitStatus.outputFailed.rawValue) }
    }
  }

  /// Dispositions and the mask come through exec(2).
  ///
  /// SIGINT and SIGHUP stay ignored where the caller ignores them (nohup, a shell's `&`).
  private static func resetSignals() {
    // waitpid() gives no status where SIGCHLD is ignored.
    for number in [SIGCHLD, SIGTERM] { signal(number, SIG_DFL) }
    // A limit of the file's size and a reader that has gone away are errors of write(2). Nothing is done yet for SIGUSR1 and SIGUSR2.
    for number in ignored { signal(number, SIG_IGN) }
    var none = sigset_t()
    sigemptyset(&none)
    sigprocmask(SIG_SETMASK, &none, nil)
  }

  /// What this program ignores, and its children must not.
  static let ignored = [SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2]

  /// The same as a set, for posix_spawn(3).
  static var ignoredSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in ignored { sigaddset(&set, number) }
    return set
  }

  private static func clearVariables() {
    var names: [String] = []
    var next = environ
    while let entry = next.pointee {
      let text = String(cString: entry)
      if text.hasPrefix(prefix), !text.hasPrefix(exporterPrefix), let end = text.firstIndex(of: "=") {
        names.append(String(text[..<end]))
      }
      next += 1
    }
    for name in names { unsetenv(name) }
  }
}
