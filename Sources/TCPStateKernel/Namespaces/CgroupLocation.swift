// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A cgroup v2 directory as the kernel knows it.
public struct CgroupLocation: Sendable {
  /// Its id: the directory's inode.
  public let id: UInt64
  /// Levels below the root of the hierarchy; `nil` if the mount doesn't begin at the root, as in a cgroup namespace.
  public let level: UInt32?

  init(id: UInt64, level: UInt32?) {
    self.id = id
    self.level = level
  }

  /// Looks up a cgroup v2 directory.
  ///
  /// Its id is the inode of the directory, its level the depth below the mount (fs/kernfs/dir.c).
  ///
  /// - Parameters:
  ///   - path: bytes that need not be UTF-8.
  ///   - name: what messages call it.
  public init(path: UnsafePointer<CChar>, name: String) throws(KernelError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw KernelError(.input, "use the cgroup \(name)", cause: String(cString: strerror(errno)))
    }
    var filesystem = statfs()
    guard statfs(path, &filesystem) == 0, filesystem.f_type == 0x6367_7270 /* CGROUP2_SUPER_MAGIC */ else {
      throw KernelError(
        .input, "use the cgroup \(name)", cause: "it is not a cgroup v2 directory",
        hint: "name one below /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid system")
    }
    // Climb until the filesystem changes: the top of the mount is level 0 if it is the root, which alone has no type.
    var level: UInt32 = 0
    var climbing = Array(UnsafeBufferPointer(start: path, count: strlen(path) + 1))
    var top = climbing
    var parent = stat()
    while true {
      climbing.replaceSubrange((climbing.count - 1)..., with: "/..".utf8CString)
      guard stat(climbing, &parent) == 0, parent.st_dev == status.st_dev else { break }
      level += 1
      top = climbing
      guard level < 256 else { break }
    }
    top.replaceSubrange((top.count - 1)..., with: "/cgroup.type".utf8CString)
    self.init(id: UInt64(status.st_ino), level: access(top, F_OK) == 0 ? nil : level)
  }
}
