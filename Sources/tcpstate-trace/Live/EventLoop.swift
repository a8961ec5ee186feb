// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateKernel
import TCPStateProgram

/// What the event loop drives: a command's rounds over what it traces or shows.
protocol Activity: ~Copyable {
  /// Milliseconds until the next round, if nothing happens before.
  func timeout() -> Int32

  /// One round: takes in what has happened, and writes or draws.
  ///
  /// - Parameter isLast: a signal or the deadline ends the loop after it.
  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws

  /// The terminal's size has changed.
  mutating func resized()

  /// The terminal has shown ^C.
  mutating func interrupted()

  /// Whether no further round is wanted.
  var isDone: Bool { get }
}

/// epoll over the ring buffer, signals and the output, on one thread.
struct EventLoop: ~Copyable {
  private let epoll: Int32
  private let signals: Int32

  /// Takes the signals over: from now on they arrive here only.
  init() throws(Failure) {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in Signals.heeded + [SIGWINCH] { sigaddset(&set, signal) }
    sigprocmask(SIG_BLOCK, &set, nil)
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
  /// - Returns: the signals that have arrived; other wake-ups need no distinction.
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

  /// Drives the activity until it is done, a signal asks for the end, or the deadline has passed.
  ///
  /// - Parameter deadline: CLOCK_MONOTONIC nanoseconds.
  func run(_ activity: inout some Activity & ~Copyable, until deadline: UInt64?) throws {
    var isLast = false
    while !isLast {
      for signal in wait(milliseconds: Self.timeout(activity.timeout(), until: deadline)) {
        if signal == SIGWINCH {
          activity.resized()
        } else {
          isLast = true
          if signal == SIGINT { activity.interrupted() }
        }
      }
      if let deadline, KernelClock.monotonic() >= deadline { isLast = true }
      try activity.round(self, isLast: isLast)
      if activity.isDone { return }
    }
  }

  private static func timeout(_ limit: Int32, until deadline: UInt64?) -> Int32 {
    guard let deadline else { return limit }
    let now = KernelClock.monotonic()
    return deadline <= now ? 0 : Int32(min(UInt64(max(limit, 0)), (deadline - now) / 1_000_000 + 1))
  }

  /// Writes the rest at its reader's pace. A reader that takes nothing for seven seconds has stopped reading;
  /// another signal means that the user doesn't want to wait.
  ///
  /// - Parameter write: writes what the reader takes now, and returns how many bytes are left.
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
