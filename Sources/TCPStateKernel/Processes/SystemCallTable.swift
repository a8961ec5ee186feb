// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore

/// The system calls that threads wait in, by their numbers on this machine.
enum SystemCallTable {
  private struct Entry {
    let name: String
    /// Which arguments are descriptors.
    var descriptors: [Int] = []
    var waitsForEvents = false
  }

  /// - Parameter arguments: the six of the call, and maybe more.
  /// - Returns: `nil` if the number isn't in the table.
  static func call(_ number: Int, _ arguments: [UInt64]) -> ThreadActivity.Call? {
    guard let entry = entries[number] else { return nil }
    let descriptors = entry.descriptors.compactMap { index -> UInt32? in
      // An int: the upper half of the register may be anything. -1 is none.
      let value = UInt32(truncatingIfNeeded: arguments[index])
      return value <= UInt32(Int32.max) ? value : nil
    }
    return ThreadActivity.Call(entry.name, descriptors: descriptors, waitsForEvents: entry.waitsForEvents)
  }

  private static let entries: [Int: Entry] = {
    var entries: [Int: Entry] = [:]
    func add(_ number: Int32, _ name: String, on descriptors: [Int] = [], waitsForEvents: Bool = false) {
      entries[Int(number)] = Entry(name: name, descriptors: descriptors, waitsForEvents: waitsForEvents)
    }
    for (number, name) in onFirst { add(number, name, on: [0]) }
    add(SYS_sendfile, "sendfile", on: [0, 1])
    add(SYS_splice, "splice", on: [0, 2])
    add(SYS_tee, "tee", on: [0, 1])
    for (number, name) in events { add(number, name, waitsForEvents: true) }
    for (number, name) in others { add(number, name) }
    return entries
  }()

  private static let onFirst: [(Int32, String)] = [
    (SYS_read, "read"), (SYS_write, "write"), (SYS_readv, "readv"), (SYS_writev, "writev"), (SYS_close, "close"),
    (SYS_connect, "connect"), (SYS_accept, "accept"), (SYS_accept4, "accept4"), (SYS_shutdown, "shutdown"),
    (SYS_sendto, "sendto"), (SYS_recvfrom, "recvfrom"), (SYS_sendmsg, "sendmsg"), (SYS_recvmsg, "recvmsg"),
    (SYS_sendmmsg, "sendmmsg"), (SYS_recvmmsg, "recvmmsg"), (SYS_setsockopt, "setsockopt"),
    (SYS_getsockopt, "getsockopt"), (SYS_ioctl, "ioctl"), (SYS_fcntl, "fcntl"), (SYS_flock, "flock"),
    (SYS_fsync, "fsync"), (SYS_fdatasync, "fdatasync"), (SYS_pread64, "pread64"), (SYS_pwrite64, "pwrite64"),
    (SYS_preadv, "preadv"), (SYS_pwritev, "pwritev"),
  ]

  private static var events: [(Int32, String)] {
    var calls: [(Int32, String)] = [
      (SYS_epoll_pwait, "epoll_pwait"), (SYS_ppoll, "ppoll"), (SYS_pselect6, "pselect6"), (epollPwait2, "epoll_pwait2"),
      (ioUringEnter, "io_uring_enter"),
    ]
    #if arch(x86_64)
      calls += [(SYS_epoll_wait, "epoll_wait"), (SYS_poll, "poll"), (SYS_select, "select")]
    #endif
    return calls
  }

  private static var others: [(Int32, String)] {
    var calls: [(Int32, String)] = [
      (SYS_futex, "futex"), (futexWait, "futex_wait"), (futexWaitv, "futex_waitv"), (SYS_nanosleep, "nanosleep"),
      (SYS_clock_nanosleep, "clock_nanosleep"), (SYS_wait4, "wait4"), (SYS_waitid, "waitid"),
      (SYS_rt_sigtimedwait, "rt_sigtimedwait"), (SYS_rt_sigsuspend, "rt_sigsuspend"), (SYS_openat, "openat"),
      (SYS_msgrcv, "msgrcv"), (SYS_msgsnd, "msgsnd"), (SYS_semtimedop, "semtimedop"), (SYS_semop, "semop"),
      (SYS_mq_timedreceive, "mq_timedreceive"), (SYS_sync, "sync"), (SYS_msync, "msync"), (SYS_munmap, "munmap"),
      (SYS_io_getevents, "io_getevents"), (SYS_execve, "execve"),
    ]
    #if arch(x86_64)
      calls += [(SYS_pause, "pause"), (SYS_open, "open"), (SYS_stat, "stat")]
    #endif
    return calls
  }

  // The same on all architectures, and newer than some C libraries (include/uapi/asm-generic/unistd.h).
  private static let ioUringEnter: Int32 = 426
  private static let epollPwait2: Int32 = 441
  private static let futexWaitv: Int32 = 449
  private static let futexWait: Int32 = 455
}
