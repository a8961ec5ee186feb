// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Network namespaces by inode, with a path that opens each.
public enum NetworkNamespaces {
  /// Every namespace that a process is in or that `ip netns` has named.
  ///
  /// A namespace that only a descriptor or a socket keeps alive isn't found. Without CAP_SYS_PTRACE the namespaces of
  /// other users' processes aren't visible.
  public static func all() throws(KernelError) -> [UInt32: String] {
    var found: [UInt32: String] = [:]
    if let own { found[own] = ownPath }
    // A namespace that isn't listed counts as gone, so failing to list must not look like an empty list.
    guard let processes = list("/proc") else { throw KernelError("list the processes in /proc", errno: errno) }
    Capabilities.raised([.sysPtrace]) {
      for entry in processes where entry.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
        let path = "/proc/\(entry)/ns/net"
        if let inode = linkInode(path), found[inode] == nil { found[inode] = path }
      }
    }
    for entry in entries(of: "/run/netns") {
      let path = "/run/netns/\(entry)"
      if let inode = inode(of: path), found[inode] == nil { found[inode] = path }
    }
    return found
  }

  static let ownPath = "/proc/self/ns/net"

  /// The inode of the namespace that this process is in.
  public static var own: UInt32? { inode(of: ownPath) }

  /// Runs `body` in a network namespace: this thread enters it, and leaves it before the call returns.
  ///
  /// - Parameters:
  ///   - namespace: its inode.
  ///   - path: opens it, as `all()` returned it. By now it may lead to another namespace: the process may have ended
  ///     and its pid been reused.
  /// - Returns: `nil` if the path no longer leads there, or the namespace may not be entered.
  static func inside<Result>(
    _ namespace: UInt32, path: String, _ body: () throws(KernelError) -> Result
  ) throws(KernelError) -> Result? {
    if namespace == own { return try body() }
    return try Capabilities.raised([.sysAdmin, .sysPtrace]) { () throws(KernelError) -> Result? in
      guard let home = FileDescriptor(path: ownPath)
      else { throw KernelError("open \(ownPath)", errno: errno) }
      guard let there = FileDescriptor(path: path), there.inode == namespace,
        setns(there.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
      else { return nil }
      let result: Result
      do throws(KernelError) {
        result = try body()
      } catch {
        try enter(home)
        throw error
      }
      try enter(home)
      return result
    }
  }

  private static func enter(_ home: borrowing FileDescriptor) throws(KernelError) {
    guard setns(home.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
    else { throw KernelError("return to this process's network namespace", errno: errno) }
  }

  /// The inode of a namespace file; `nil` if it can't be read.
  public static func inode(of path: UnsafePointer<CChar>) -> UInt32? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return UInt32(truncatingIfNeeded: status.st_ino)
  }

  /// Whether `path` is a network namespace: on the kernel's namespace filesystem, and of that kind.
  public static func isNamespace(_ path: UnsafePointer<CChar>) -> Bool {
    guard let file = FileDescriptor(path: path) else { return false }
    var status = statfs()
    return fstatfs(file.number, &status) == 0 && status.f_type == 0x6e73_6673  // NSFS_MAGIC
      && tcpstate_namespace_type(file.number) == Int32(TCPSTATE_CLONE_NEWNET)
  }

  /// From the text of the link, `net:[4026531840]`: cheaper than following it.
  private static func linkInode(_ path: String) -> UInt32? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let text = buffer.baseAddress, readlink(path, text, 63) > 6 else { return nil }
      return UInt32(strtoul(text + 5, nil, 10))
    }
  }

  /// Empty for a directory that doesn't exist.
  static func entries(of path: String) -> [String] { list(path) ?? [] }

  private static func list(_ path: String) -> [String]? {
    guard let directory = opendir(path) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
