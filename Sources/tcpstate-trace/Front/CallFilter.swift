import CLinux
import Glibc

/// The system calls that are left once recordings and outputs are open: read, write, wait, and memory.
///
/// A table of our own instead of libseccomp, because it is short and the same for all commands, and the program stays
/// without a library more. Anything else fails with EPERM instead of killing the process: a C library that tries a newer
/// call first goes on with the older one, and whoever has taken the process over gains nothing by it.
enum CallFilter {
  /// What an argument must be.
  private enum Condition {
    case oneOf(argument: Int, [UInt32])
    /// None of these bits is set.
    case without(argument: Int, UInt32)
    /// All of these bits are set.
    case with(argument: Int, UInt32)
  }

  /// For what is open already, nothing else.
  private static var free: [Int32] {
    var calls = [
      // Files: none can be opened.
      SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_lseek, SYS_close, SYS_fstat, SYS_newfstatat,
      SYS_ftruncate,
      // Waiting, for readers, keys and signals.
      SYS_ppoll, SYS_epoll_pwait, SYS_epoll_create1, SYS_epoll_ctl, SYS_signalfd4, SYS_clock_nanosleep, SYS_nanosleep,
      SYS_futex, SYS_wait4, SYS_restart_syscall,
      // Memory.
      SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise,
      // Signals, threads, and the end.
      SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigpending, SYS_sigaltstack, SYS_set_robust_list,
      SYS_rseq, SYS_sched_getaffinity, SYS_sched_yield, SYS_exit, SYS_exit_group,
      // What time it is, and where.
      SYS_clock_gettime, SYS_gettimeofday, SYS_uname, SYS_getrandom, SYS_getpid, SYS_gettid,
    ]
    #if arch(x86_64)
      calls += [SYS_poll, SYS_epoll_wait]
    #endif
    return calls.map { Int32($0) }
  }

  private static let conditional: [(Int32, Condition)] = [
    // No memory becomes code.
    (Int32(SYS_mmap), .without(argument: 2, UInt32(PROT_EXEC))),
    (Int32(SYS_mprotect), .without(argument: 2, UInt32(PROT_EXEC))),
    // Threads, no processes.
    (Int32(SYS_clone), .with(argument: 0, UInt32(TCPSTATE_CLONE_THREAD))),
    (Int32(SYS_fcntl), .oneOf(argument: 1, [UInt32(F_GETFD), UInt32(F_GETFL)])),
    // A terminal's size and keys: TCGETS, TCSETS, TCFLSH, TIOCGWINSZ; TIOCSTI, which types, isn't among them.
    (Int32(SYS_ioctl), .oneOf(argument: 1, [0x5401, 0x5402, 0x540b, 0x5413])),
    // To whom standard error is connected already.
    (Int32(SYS_sendto), .oneOf(argument: 4, [0])),
  ]

  private static let architecture = tcpstate_architecture()

  /// Installs the filter for good.
  ///
  /// - Returns: whether it is in force; a kernel without seccomp has none.
  static func install() -> Bool {
    let program = program()
    return program.withUnsafeBufferPointer { buffer in
      tcpstate_filter_calls(buffer.baseAddress, UInt16(buffer.count)) == 0
    }
  }

  /// Classic BPF over struct seccomp_data: the call's number, the architecture, and at 16 the arguments, 64 bits each.
  private static func program() -> [sock_filter] {
    let (load, equal, anyBit, result) = (UInt16(0x20), UInt16(0x15), UInt16(0x45), UInt16(0x06))
    func step(_ code: UInt16, _ value: UInt32, _ whenTrue: UInt8 = 0, _ whenFalse: UInt8 = 0) -> sock_filter {
      sock_filter(code: code, jt: whenTrue, jf: whenFalse, k: value)
    }
    let (allow, kill) = (UInt32(0x7fff_0000), UInt32(0x8000_0000))
    let deny = UInt32(0x0005_0000) | UInt32(EPERM)
    var program = [step(load, 4), step(equal, architecture, 1, 0), step(result, kill), step(load, 0)]
    for call in free { program += [step(equal, UInt32(call), 0, 1), step(result, allow)] }
    // glibc starts threads with clone3(), whose flags can't be seen, and with clone() where there is none.
    program += [step(equal, UInt32(SYS_clone3), 0, 1), step(result, UInt32(0x0005_0000) | UInt32(ENOSYS))]
    for (call, condition) in conditional {
      var check: [sock_filter] = []
      switch condition {
      case .oneOf(let argument, let values):
        check = [step(load, UInt32(16 + 8 * argument))]
        for value in values { check += [step(equal, value, 0, 1), step(result, allow)] }
      case .without(let argument, let bits):
        check = [step(load, UInt32(16 + 8 * argument)), step(anyBit, bits, 1, 0), step(result, allow)]
      case .with(let argument, let bits):
        check = [step(load, UInt32(16 + 8 * argument)), step(anyBit, bits, 0, 1), step(result, allow)]
      }
      check.append(step(result, deny))
      program += [step(equal, UInt32(call), 0, UInt8(check.count))] + check
    }
    return program + [step(result, deny)]
  }
}
