// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Leaves only the system calls that are needed from now on.
///
/// A table of our own instead of libseccomp, because it is short, and the program stays without a library more. Anything
/// else fails with EPERM instead of killing the process: a C library that tries a newer call first goes on with the older
/// one, and whoever has taken the process over gains nothing by it.
public enum CallFilter {
  private static let architecture = tcpstate_architecture()

  /// Installs the filter for good.
  ///
  /// - Returns: whether it is in force; a kernel without seccomp has none.
  @discardableResult
  public static func install(_ rules: CallRules) -> Bool {
    let program = program(rules)
    return program.withUnsafeBufferPointer { buffer in
      tcpstate_filter_calls(buffer.baseAddress, UInt16(buffer.count)) == 0
    }
  }

  /// Classic BPF over struct seccomp_data: the call's number, the architecture, and at 16 the arguments, 64 bits each.
  private static func program(_ rules: CallRules) -> [sock_filter] {
    let (load, equal, anyBit, result) = (UInt16(0x20), UInt16(0x15), UInt16(0x45), UInt16(0x06))
    func step(_ code: UInt16, _ value: UInt32, _ whenTrue: UInt8 = 0, _ whenFalse: UInt8 = 0) -> sock_filter {
      sock_filter(code: code, jt: whenTrue, jf: whenFalse, k: value)
    }
    let (allow, kill) = (UInt32(0x7fff_0000), UInt32(0x8000_0000))
    let deny = UInt32(0x0005_0000) | UInt32(EPERM)
    var program = [step(load, 4), step(equal, architecture, 1, 0), step(result, kill), step(load, 0)]
    for call in rules.free { program += [step(equal, UInt32(call), 0, 1), step(result, allow)] }
    // glibc starts threads with clone3(), whose flags can't be seen, and with clone() where there is none.
    program += [step(equal, UInt32(SYS_clone3), 0, 1), step(result, UInt32(0x0005_0000) | UInt32(ENOSYS))]
    for (call, condition) in rules.conditional {
      var check: [sock_filter] = []
      switch condition {
      case .oneOf(let argument, let values):
        check = [step(load, UInt32(16 + 8 * argument))]
        for value in values { check += [step(equal, value, 0, 1), step(result, allow)] }
      case .without(let argument, let bits):
        check = [step(load, UInt32(16 + 8 * argument)), step(anyBit, bits, 1, 0), step(result, allow)]
      case .both(let argument, let value, let other, let otherValue):
        check = [
          step(load, UInt32(16 + 8 * argument)), step(equal, value, 0, 3), step(load, UInt32(16 + 8 * other)),
          step(equal, otherValue, 0, 1), step(result, allow),
        ]
      case .with(let argument, let bits):
        check = [step(load, UInt32(16 + 8 * argument)), step(anyBit, bits, 0, 1), step(result, allow)]
      }
      check.append(step(result, deny))
      program += [step(equal, UInt32(call), 0, UInt8(check.count))] + check
    }
    return program + [step(result, deny)]
  }
}
