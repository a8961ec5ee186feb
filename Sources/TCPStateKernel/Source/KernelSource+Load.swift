// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CLinux
import Glibc

extension KernelSource {
  /// Loads the richest plan that the kernel accepts.
  ///
  /// If the kernel rejects one, each of its programs is tried alone. Those that it accepts are loaded together if the
  /// main one is among them. That takes some more loads, but only where something is missing.
  static func load(
    _ image: UnsafeRawBufferPointer, _ configuration: KernelConfiguration
  ) throws(KernelError) -> BPFObject {
    var first: BPFObject.LoadFailure?
    var hopeless: LoadPlan?
    for plan in LoadPlan.candidates(configuration, seesFunctions: seesFunctions(configuration)) {
      // Its main program was rejected already.
      if let hopeless, hopeless.main == plan.main, hopeless.isPlain == plan.isPlain { continue }
      do throws(BPFObject.LoadFailure) {
        return try open(image, plan, configuration)
      } catch {
        if first == nil { first = error }
        // A smaller set won't help against these.
        if [EPERM, ENOMEM, E2BIG].contains(error.code) || error.code == EACCES && geteuid() != 0 { break }
      }
      var smaller = plan
      smaller.programs = takenAlone(image, plan, configuration)
      guard smaller.programs.contains(plan.main) else {
        hopeless = plan
        continue
      }
      do throws(BPFObject.LoadFailure) {
        return try open(image, smaller, configuration)
      } catch {
        continue
      }
    }
    throw refusal(first ?? BPFObject.LoadFailure(step: "load", code: EINVAL), configuration)
  }

  /// Asks the kernel for a program that it must reject for another reason, which takes less than a millisecond.
  private static func seesFunctions(_ configuration: KernelConfiguration) -> Bool {
    guard !configuration.tablesOnly, !configuration.aggregates, configuration.attachment != .classic
    else { return false }
    return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_TRACING, nil) == 1
  }

  private static func open(
    _ image: UnsafeRawBufferPointer, _ plan: LoadPlan, _ configuration: KernelConfiguration
  ) throws(BPFObject.LoadFailure) -> BPFObject {
    try BPFObject(
      image: image, plan: plan, filter: configuration.filter,
      ringBytes: configuration.tablesOnly || configuration.aggregates
        ? sysconf(Int32(_SC_PAGESIZE)) : configuration.ringBytes)
  }

  /// The programs of a plan that the kernel accepts; none if it rejects the main one.
  private static func takenAlone(
    _ image: UnsafeRawBufferPointer, _ plan: LoadPlan, _ configuration: KernelConfiguration
  ) -> BPFPrograms {
    var taken: BPFPrograms = []
    let others = plan.programs.subtracting(plan.main).descriptions.map(\.program)
    for program in [plan.main] + others {
      var alone = plan
      alone.programs = program
      do throws(BPFObject.LoadFailure) {
        _ = try open(image, alone, configuration)
        taken.insert(program)
      } catch {
        if program == plan.main { break }
      }
    }
    return taken
  }

  /// Why the kernel's type information can't be read.
  enum TypeInformationObstacle: Sendable, CaseIterable {
    /// The kernel has none.
    case missing
    /// This process may not read it.
    case denied
    /// /sys isn't mounted.
    case noSysfs

    var cause: String {
      switch self {
      case .missing: "it has no type information (\(KernelSource.typeInformation))"
      case .denied: "\(KernelSource.typeInformation) can't be read"
      case .noSysfs: "/sys isn't mounted, so \(KernelSource.typeInformation) can't be read"
      }
    }

    var remedy: String {
      switch self {
      case .missing: Remedy.typeInformation
      case .denied: "a security policy hides it: allow reading it"
      case .noSysfs: Remedy.sysfs
      }
    }
  }

  /// `nil` if nothing is in the way.
  static var typeInformationObstacle: TypeInformationObstacle? {
    guard access(typeInformation, R_OK) != 0 else { return nil }
    if errno == EACCES || errno == EPERM { return .denied }
    return access("/sys/kernel", F_OK) == 0 ? .missing : .noSysfs
  }

  /// An error that is no missing capability says so.
  static func refusal(_ operation: String, errno code: Int32) -> KernelError {
    let isDenied = code == EPERM || code == EACCES
    let hint = isDenied ? Remedy.permission(Surroundings.current.place(.user), .current) : ""
    return KernelError(operation, errno: code, hint: hint)
  }

  private static func refusal(_ failure: BPFObject.LoadFailure, _ configuration: KernelConfiguration) -> KernelError {
    switch failure.code {
    case EPERM, EACCES:
      refusal("load the BPF programs", errno: EPERM)
    case ENOMEM, E2BIG:
      KernelError(
        "load the BPF programs", errno: failure.code, hint: "try a smaller --buffer or a higher memory limit")
    case ESRCH, ENOENT:
      KernelError(
        .unsupported, "load the BPF programs", cause: "this kernel has no tracepoint sock:inet_sock_set_state",
        hint: Remedy.newerKernel(KernelVersion(5, 8)))
    case EINVAL where configuration.aggregates:
      // Before 5.12 BPF has no compare-and-swap.
      KernelError(
        .unsupported, "count stays in the kernel", cause: "this kernel rejects the program",
        hint: "\(Remedy.newerKernel(KernelVersion(5, 12))); without --in-kernel it works here")
    default:
      KernelError(
        .unsupported, "\(failure.step) the BPF programs", cause: String(cString: strerror(failure.code)),
        hint: "--verbose shows the kernel's messages")
    }
  }
}
