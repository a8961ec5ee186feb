// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateKernel

/// Says at once when a filter names processes of which there is none, which a typo would otherwise hide.
enum AbsentProcesses {
  /// - Parameter waits: whether the command goes on until one comes.
  static func report(_ filter: RowFilter, waits: Bool) {
    let surroundings = Surroundings.current
    guard !filter.pids.isEmpty || !filter.processes.isEmpty, surroundings.hasProc else { return }
    var pids = filter.pids
    // A process outside this PID namespace isn't listed, and its name is known all the same.
    var names = surroundings.hidesNamespaces ? [] : filter.processes
    let isListed = Directory.forEachName(in: "/proc") { name in
      guard let pid = UInt32(name) else { return true }
      pids.remove(pid)
      if !names.isEmpty { names.subtract(threadNames(pid)) }
      return !(pids.isEmpty && names.isEmpty)
    }
    guard isListed else { return }
    let ending = waits ? "; waiting for one." : "."
    for name in names.map({ Message.printable(String(decoding: $0.bytes, as: UTF8.self)) }).sorted() {
      Message.line("No process is named \(name) now\(ending)")
    }
    for pid in pids.sorted() { Message.line("There is no process \(pid) now\(ending)") }
  }

  /// Of the process and its threads: a socket's owner has the name of the thread that opened it.
  private static func threadNames(_ pid: UInt32) -> Set<ShortName> {
    var names: Set<ShortName> = []
    for thread in Directory.names(in: "/proc/\(pid)/task") ?? [] {
      guard UInt32(thread) != nil, let file = fopen("/proc/\(pid)/task/\(thread)/comm", "re") else { continue }
      defer { fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 16)
      let count = fread(&bytes, 1, 16, file)
      names.insert(ShortName(bytes: bytes.prefix(count).prefix { $0 != 10 }))
    }
    return names
  }
}
