// SPDX-License-Identifier: Apache-2.0

/// What knows which container, pod and unit a socket belongs to.
///
/// An object, because an answer is kept from the first time it is given.
public protocol WorkloadNaming: AnyObject {
  /// - Parameters:
  ///   - cgroup: cgroup v2 id of the socket.
  ///   - pid: thread group id of the process that owns it.
  ///   - name: that process's, in case its id has been given to another since.
  func workload(cgroup: UInt64?, pid: UInt32?, name: ShortName) -> Workload
}
