// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// The containers that sockets belong to, by the names that people gave them.
struct ContainerNames {
  /// The most characters of a name; Kubernetes allows 253 for a pod.
  private static let width = 128

  private let resolver = WorkloadResolver()

  /// The container's name, in Kubernetes the pod's; `nil` if the socket is in none.
  func name(of socket: StuckSocket) -> String? {
    let process = socket.responsible.first
    let workload = resolver.workload(
      cgroup: socket.cgroup, pid: process?.pid, name: process?.name ?? ShortName())
    return workload.isContainer ? WorkloadText.short(workload, width: Self.width) : nil
  }
}
