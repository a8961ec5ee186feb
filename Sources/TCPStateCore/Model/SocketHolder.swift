// SPDX-License-Identifier: Apache-2.0

/// A process that holds a socket through one of its descriptors.
public struct SocketHolder: Hashable, Sendable, BitwiseCopyable {
  /// Thread group id, in the PID namespace of the tracer.
  public var pid: UInt32
  public var name: ShortName
  /// `nil` if only the owner is known, as in a recording.
  public var descriptor: UInt32?
  /// How it is known; `nil` if that isn't recorded.
  public var kind: OwnerKind?

  public init(pid: UInt32, name: ShortName, descriptor: UInt32?, kind: OwnerKind? = nil) {
    self.pid = pid
    self.name = name
    self.descriptor = descriptor
    self.kind = kind
  }
}

extension SocketHolder: Comparable {
  /// Orders by process, then by descriptor.
  public static func < (a: SocketHolder, b: SocketHolder) -> Bool {
    (a.pid, a.descriptor ?? .max) < (b.pid, b.descriptor ?? .max)
  }
}
