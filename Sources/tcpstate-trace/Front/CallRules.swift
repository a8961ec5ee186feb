// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CLinux
import Glibc

/// The system calls that a part of the program needs; see `CallFilter`.
struct CallRules {
  /// What an argument must be.
  enum Condition {
    case oneOf(argument: Int, [UInt32])
    /// None of these bits is set.
    case without(argument: Int, UInt32)
    /// All of these bits are set.
    case with(argument: Int, UInt32)
    /// Both arguments are as given.
    case both(argument: Int, UInt32, other: Int, UInt32)
  }

  /// Whatever their arguments are.
  private(set) var free: [Int]
  private(set) var conditional: [(call: Int, condition: Condition)]

  /// Once recordings and outputs are open: read, write, wait, and memory.
  static let reading = CallRules(free: calls, conditional: conditions)

  /// Once everything is attached and all outputs are open: besides that, looking at what processes and namespaces there
  /// are, and asking the kernel's BPF programs. Nothing can be written to that isn't open, and no program be loaded.
  static let tracing = CallRules(free: calls + lookingCalls, conditional: conditions + lookingConditions)

  private static var calls: [Int] {
    var calls = [
      // For what is open already, nothing else.
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
    return calls.map { Int($0) }
  }

  private static let conditions: [(call: Int, condition: Condition)] = [
    // No memory becomes code.
    (Int(SYS_mmap), .without(argument: 2, UInt32(PROT_EXEC))),
    (Int(SYS_mprotect), .without(argument: 2, UInt32(PROT_EXEC))),
    // Threads, no processes.
    (Int(SYS_clone), .with(argument: 0, UInt32(TCPSTATE_CLONE_THREAD))),
    (Int(SYS_fcntl), .oneOf(argument: 1, [UInt32(F_GETFD), UInt32(F_GETFL)])),
    // A terminal's size and keys: TCGETS, TCSETS, TCFLSH, TIOCGWINSZ, and newer C libraries' TCGETS2 and TCSETS2;
    // TIOCSTI, which types, isn't among them. And PERF_EVENT_IOC_DISABLE, to detach.
    (Int(SYS_ioctl), .oneOf(argument: 1, [0x5401, 0x5402, 0x540b, 0x5413, 0x802c_542a, 0x402c_542b, 0x2401])),
    // To whom standard error is connected already.
    (Int(SYS_sendto), .oneOf(argument: 4, [0])),
  ]

  private static var lookingCalls: [Int] {
    var calls = [
      // /proc, /run/netns and directories of cgroups, which come and go.
      SYS_getdents64, SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_statfs, SYS_fstatfs,
      // Capabilities that are in effect only while a namespace is looked for or entered.
      SYS_capget, SYS_capset,
    ]
    #if arch(x86_64)
      calls += [SYS_readlink, SYS_access]
    #endif
    return calls.map { Int($0) }
  }

  private static let lookingConditions: [(call: Int, condition: Condition)] = [
    // Files are opened for reading only, and none is made.
    (Int(SYS_openat), .without(argument: 2, UInt32(O_ACCMODE | O_CREAT | O_TRUNC))),
    (Int(SYS_setns), .oneOf(argument: 1, [UInt32(TCPSTATE_CLONE_NEWNET)])),
    // Questions about single sockets: sock_diag(7), which is no way to the network.
    (Int(SYS_socket), .both(argument: 0, UInt32(AF_NETLINK), other: 2, UInt32(NETLINK_SOCK_DIAG))),
    // Maps, iterators and detaching; not BPF_PROG_LOAD.
    (
      Int(SYS_bpf),
      .oneOf(
        argument: 0,
        [
          BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH,
          BPF_OBJ_GET_INFO_BY_FD, BPF_LINK_CREATE, BPF_LINK_DETACH, BPF_ITER_CREATE,
        ].map { $0.rawValue })
    ),
    // On which CPU this thread runs: each has a clock of its own for when threads ran.
    (Int(SYS_sched_setaffinity), .oneOf(argument: 0, [0])),
    // Whether a process is there.
    (Int(SYS_kill), .oneOf(argument: 1, [0])),
  ]
}
