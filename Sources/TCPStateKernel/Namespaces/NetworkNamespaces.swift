// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Network namespaces by inode, with a path that opens each.
public enum NetworkNamespaces {
  /// Every namespace that a visible process is in, or that is mounted where one of these sees it.
  ///
  /// A namespace that only a descriptor or a socket keeps alive isn't found: see `find`. Without CAP_SYS_PTRACE the
  /// namespaces of other users' processes aren't visible. Without /proc there is this process's own only.
  public static func all() throws(KernelError) -> [UInt32: String] {
    var found: [UInt32: String] = [:]
    // Without an inode it still is what an iterator reads.
    found[own ?? 0] = ownPath
    guard Surroundings.current.hasProc else { return found }
    let processes = try processes()
    Capabilities.raised([.sysPtrace]) {
      var mountNamespaces: Set<UInt32> = []
      for entry in processes {
        let path = "/proc/\(entry)/ns/net"
        if let inode = linkInode(path), found[inode] == nil { found[inode] = path }
      }
      addMounts("/proc/self", root: "", to: &found, &mountNamespaces)
      for entry in processes { addMounts("/proc/\(entry)", root: "/proc/\(entry)/root", to: &found, &mountNamespaces) }
    }
    return found
  }

  /// Namespaces that `all()` doesn't have: of those wanted, the ones to which a descriptor of a visible process refers.
  ///
  /// It looks at every descriptor, so it is for namespaces that are known to exist.
  static func held(_ wanted: Set<UInt32>) throws(KernelError) -> [UInt32: String] {
    guard Surroundings.current.hasProc, !wanted.isEmpty else { return [:] }
    let processes = try processes()
    return Capabilities.raised([.sysPtrace, .dacReadSearch]) {
      var found: [UInt32: String] = [:]
      for process in processes {
        for number in Directory.names(in: "/proc/\(process)/fd") ?? [] {
          let path = "/proc/\(process)/fd/\(number)"
          guard let inode = heldInode(process, number), wanted.contains(inode), found[inode] == nil else { continue }
          found[inode] = path
          if found.count == wanted.count { return found }
        }
      }
      return found
    }
  }

  /// A namespace that isn't listed counts as gone, so failing to list must not look like an empty list.
  private static func processes() throws(KernelError) -> [String] {
    guard let entries = Directory.names(in: "/proc") else {
      throw KernelError("list the processes in /proc", errno: errno)
    }
    return entries.filter { $0.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } }
  }

  /// Adds what a process sees mounted, once for each mount namespace.
  private static func addMounts(
    _ process: String, root: String, to found: inout [UInt32: String], _ seen: inout Set<UInt32>
  ) {
    guard let namespace = linkInode("\(process)/ns/mnt"), seen.insert(namespace).inserted else { return }
    for (inode, path) in NamespaceMounts.read(process, root: root) where found[inode] == nil { found[inode] = path }
  }

  static let ownPath = "/proc/self/ns/net"

  /// The inode of the namespace that this process is in; `nil` without /proc before Linux 6.11.
  public static var own: UInt32? { Surroundings.ownInode(.net) }

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
    if namespace == own ?? 0 { return try body() }
    return try Capabilities.raised([.sysAdmin, .sysPtrace]) { () throws(KernelError) -> Result? in
      guard let home = FileDescriptor(path: ownPath)
      else { throw KernelError("open \(ownPath)", errno: errno) }
      guard let there = open(path), there.inode == namespace,
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

  /// Opens a namespace's file, and nothing else: the path may be one that another mount namespace gave, where by now a
  /// FIFO or a device may be.
  private static func open(_ path: String) -> FileDescriptor? {
    let number = Glibc.open(path, Int32(TCPSTATE_O_PATH) | O_CLOEXEC)
    guard number >= 0 else { return nil }
    let place = FileDescriptor(taking: number)
    var status = statfs()
    guard fstatfs(place.number, &status) == 0, status.f_type == namespaceFilesystem else { return nil }
    return FileDescriptor(path: "/proc/self/fd/\(place.number)")
  }

  private static let namespaceFilesystem = 0x6e73_6673  // NSFS_MAGIC

  private static func enter(_ home: borrowing FileDescriptor) throws(KernelError) {
    guard setns(home.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
    else { throw KernelError("return to this process's network namespace", errno: errno) }
  }

  /// The inode of a namespace file; `nil` if it can't be read.
  public static func inode(of path: UnsafePointer<CChar>) -> UInt32? { FileDescriptor.inode(of: path) }

  /// Whether `path` is a network namespace: on the kernel's namespace filesystem, and of that kind.
  public static func isNamespace(_ path: UnsafePointer<CChar>) -> Bool {
    guard let file = FileDescriptor(path: path) else { return false }
    var status = statfs()
    return fstatfs(file.number, &status) == 0 && status.f_type == namespaceFilesystem
      && tcpstate_namespace_type(file.number) == Int32(TCPSTATE_CLONE_NEWNET)
  }

  /// From the text of the link, `net:[4026531840]` or `mnt:[4026531841]`: cheaper than following it.
  private static func linkInode(_ path: String) -> UInt32? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let text = buffer.baseAddress, case let count = readlink(path, text, 63), count > 6 else { return nil }
      text[count] = 0
      guard strncmp(text, path.hasSuffix("mnt") ? "mnt:[" : "net:[", 5) == 0 else { return nil }
      return UInt32(strtoul(text + 5, nil, 10))
    }
  }

  /// The inode of a file that a process has open, if it can be a namespace's; not looked up by stat(2), which waits for
  /// the servers of network file systems.
  ///
  /// The text of the link is `net:[4026531840]`, or a path if the file was opened by the name of a mount. Then fdinfo has
  /// the inode (Linux 5.14).
  private static func heldInode(_ process: String, _ number: String) -> UInt32? {
    let path = "/proc/\(process)/fd/\(number)"
    if let inode = linkInode(path) { return inode }
    let isNamed = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 8) { buffer in
      guard let text = buffer.baseAddress, readlink(path, text, 1) == 1 else { return false }
      return text[0] == CChar(UInt8(ascii: "/"))
    }
    guard isNamed, let file = FileDescriptor(path: "/proc/\(process)/fdinfo/\(number)"), let text = file.text()
    else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix("ino:") {
      return line.dropFirst(4).split(whereSeparator: \.isWhitespace).first.flatMap { UInt32($0) }
    }
    return nil
  }
}
