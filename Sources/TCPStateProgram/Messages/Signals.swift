// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Signals that ask the program to end, and how it learns of them where it would otherwise wait.
public enum Signals {
  private static let ending = [SIGINT, SIGTERM, SIGHUP]

  /// Those that are heeded: not the ones that the caller ignores, as nohup does.
  public static var heeded: [Int32] { ending.filter { tcpstate_is_ignored($0) == 0 } }

  /// Whether one has arrived that is blocked for the event loop. (One that isn't blocked ends the program by itself.)
  public static var askForEnd: Bool {
    var pending = sigset_t()
    guard sigpending(&pending) == 0 else { return false }
    return heeded.contains { sigismember(&pending, $0) == 1 }
  }
}
