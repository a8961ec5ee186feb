import CLinux
import Glibc

/// epoll over the ring buffer, signals and the output, on one thread.
struct EventLoop: ~Copyable {
  private let epoll: Int32
  private let signals: Int32

  /// Takes the signals over: from now on they arrive here only.
  init() throws(Failure) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGWINCH] { sigaddset(&set, signal) }
    sigprocmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
    signals = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard signals >= 0, epoll >= 0 else {
      throw Failure(.unavailable, "can't set up the event loop: \(String(cString: strerror(errno)))")
    }
    watch(signals, events: EPOLLIN.rawValue)
  }

  deinit {
    close(signals)
    close(epoll)
  }

  func watch(_ descriptor: Int32, events: UInt32) {
    var event = epoll_event()
    event.events = events
    event.data.fd = descriptor
    if epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0 {
      _ = epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event)
    }
  }

  func unwatch(_ descriptor: Int32) {
    _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  /// Waits until something happens or the time is over.
  ///
  /// - Returns: the signals that have arrived; other wake-ups need no telling apart.
  func wait(milliseconds: Int32) -> [Int32] {
    var arrived: [Int32] = []
    withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 8) { events in
      let count = epoll_wait(epoll, events.baseAddress, 8, milliseconds)
      guard count > 0 else { return }
      for event in events[..<Int(count)] where event.data.fd == signals {
        var info = signalfd_siginfo()
        while read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
          arrived.append(Int32(info.ssi_signo))
        }
      }
    }
    return arrived
  }

  /// Writes the rest at its reader's pace. One who takes nothing for seven seconds has stopped reading; and
  /// another signal is the user's, who doesn't want to wait.
  ///
  /// - Parameter write: writes what the reader takes now, and tells how many bytes are left.
  /// - Returns: how many were left at the end.
  func drain(to descriptor: Int32, _ write: () throws -> Int) rethrows -> Int {
    var patience = 100
    var before = Int.max
    while true {
      let left = try write()
      patience = left < before ? 100 : patience - 1
      guard left > 0, patience > 0 else { return left }
      before = left
      watch(descriptor, events: EPOLLOUT.rawValue)
      if wait(milliseconds: 70).contains(where: { $0 != SIGWINCH }) { return left }
    }
  }
}
