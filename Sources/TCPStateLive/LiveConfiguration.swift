// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateKernel

/// What a `LiveStream` traces, and within which bounds.
public struct LiveConfiguration: Sendable {
  /// How the kernel side is loaded and attached, and which connections it reports.
  public var kernel = KernelConfiguration()
  /// Whether the sockets that exist at the start are read, so that they have an owner and an age.
  public var readsExisting = true
  /// The most connections tracked at a time, each in at most 200 bytes.
  public var connectionLimit = ConnectionTracker.defaultLimit
  /// Whether rows get the names of their container, pod and systemd unit. Costs a look at each cgroup, when it is seen first.
  public var namesWorkloads = false

  public init() {}
}
