// SPDX-License-Identifier: Apache-2.0

/// How transitions are caught.
public enum KernelAttachment: String, Sendable, CaseIterable {
  /// tp_btf: reads the socket directly. Before Linux 5.12 there are no cookies.
  case btf
  /// The classic tracepoint with probe reads, without cookies.
  case classic
}

/// The settings of the kernel side, which are made before it is loaded.
public struct KernelConfiguration: Sendable {
  public var filter = KernelFilter()
  /// Bytes of the ring buffer: a power of two and a multiple of the page size.
  public var ringBytes = 8 * 1024 * 1024
  /// `nil` takes the best that the kernel offers.
  public var attachment: KernelAttachment?
  /// Prints the messages of libbpf and the verifier on standard error.
  public var verbose = false
  /// Loads only what reads the tables: nothing can be attached.
  public var tablesOnly = false
  /// Counts stays in the kernel and produces no events: see `KernelSource.readAggregate()`.
  public var aggregates = false

  public init() {}
}
