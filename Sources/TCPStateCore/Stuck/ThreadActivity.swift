// SPDX-License-Identifier: Apache-2.0

/// What one look at a thread found.
///
/// From `/proc/PID/task/TID`: `stat`, `syscall`, `wchan` and `sched` (proc(5)).
public struct ThreadActivity: Sendable, Equatable {
  public enum Run: Sendable, Equatable {
    /// On a CPU, or waiting for one.
    case running
    case sleeping
    /// Asleep, and not even a signal wakes it: most often it waits for a disk.
    case blocked
    /// By SIGSTOP or the like.
    case stopped
    /// By a debugger.
    case traced
    case exited
    case unknown
  }

  /// A system call that a thread is in.
  public struct Call: Sendable, Hashable {
    /// As in syscalls(2): `epoll_wait`.
    public var name: String
    /// The descriptors among its arguments, as far as they are arguments themselves: those of poll() are in memory, which
    /// isn't read.
    public var descriptors: [UInt32]
    /// Whether it waits until something happens to any of several descriptors.
    public var waitsForEvents: Bool

    public init(_ name: String, descriptors: [UInt32] = [], waitsForEvents: Bool = false) {
      (self.name, self.descriptors, self.waitsForEvents) = (name, descriptors, waitsForEvents)
    }
  }

  /// Thread id, in the PID namespace of the tracer.
  public var id: UInt32
  public var run: Run
  /// `nil` if it isn't in one, or not known.
  public var call: Call?
  /// The kernel's function in which it waits; `nil` if it doesn't, or not known.
  public var channel: String?
  /// For at least so many nanoseconds it hasn't been on a CPU; `nil` if it runs, or not known.
  public var idle: UInt64?

  public init(id: UInt32, run: Run, call: Call? = nil, channel: String? = nil, idle: UInt64? = nil) {
    (self.id, self.run, self.call, self.channel, self.idle) = (id, run, call, channel, idle)
  }

  /// Whether its cgroup is frozen.
  ///
  /// Source: do_freezer_trap(), kernel/signal.c; __refrigerator(), kernel/freezer.c.
  var isFrozen: Bool { channel == "do_freezer_trap" || channel == "__refrigerator" }
}
