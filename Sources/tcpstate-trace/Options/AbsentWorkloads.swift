// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateKernel

/// Says at once when a filter names containers, pods or units of which none runs, which a typo would otherwise hide.
enum AbsentWorkloads {
  /// - Parameter waits: whether the command goes on until one comes.
  static func report(_ filter: WorkloadFilter, waits: Bool) {
    let surroundings = Surroundings.current
    // Processes outside this PID namespace aren't listed.
    guard !filter.isEmpty, surroundings.hasProc, !surroundings.hidesNamespaces else { return }
    let running = WorkloadResolver().running()
    let ending = waits ? "; waiting for one." : "."
    for name in filter.containers where !running.contains(where: { WorkloadFilter.matches(name, container: $0) }) {
      Message.line("No container is named \(Message.printable(name)) now\(ending)")
    }
    for name in filter.pods where !running.contains(where: { WorkloadFilter.matches(name, pod: $0) }) {
      Message.line("No pod is named \(Message.printable(name)) now\(ending)")
    }
    for name in filter.units where !running.contains(where: { WorkloadFilter.matches(name, unit: $0) }) {
      Message.line("No unit \(Message.printable(name)) runs now\(ending)")
    }
  }
}
