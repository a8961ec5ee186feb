// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Paths of cgroups by their ids: the inodes of their directories.
public enum CgroupPaths {
  /// Walks the cgroup v2 hierarchy until all of `ids` are found.
  ///
  /// - Returns: paths below the mount, such as `/system.slice/nginx.service`. Cgroups that are gone, or that this mount
  ///   doesn't show, have none.
  public static func find(_ ids: Set<UInt64>) -> [UInt64: String] {
    guard !ids.isEmpty else { return [:] }
    var found: [UInt64: String] = [:]
    walk { id, path in
      if ids.contains(id) { found[id] = path }
      return found.count < ids.count
    }
    return found
  }

  /// The paths of all cgroups, up to a limit.
  static func all(atMost limit: Int) -> [UInt64: String] {
    var found: [UInt64: String] = [:]
    walk { id, path in
      found[id] = path
      return found.count < limit
    }
    return found
  }

  /// The id of the cgroup at a path below the mount; `nil` if there is none.
  static func id(ofPath path: String) -> UInt64? {
    var status = stat()
    guard let top = mountPoint, stat(top + path, &status) == 0 else { return nil }
    return UInt64(status.st_ino)
  }

  /// Calls `body` with the id and the path of each cgroup until it returns false.
  private static func walk(_ body: (UInt64, String) -> Bool) {
    guard let top = mountPoint else { return }
    var waiting = [""]
    while let path = waiting.popLast() {
      var status = stat()
      guard stat(top + path, &status) == 0 else { continue }
      guard body(UInt64(status.st_ino), path.isEmpty ? "/" : path) else { return }
      waiting += (Directory.names(in: top + path, foldersOnly: true) ?? []).map { "\(path)/\($0)" }
    }
  }

  /// Where cgroup2 is mounted, as of the first question.
  private static let mountPoint = findMountPoint()

  /// From /proc/mounts (proc_pid_mounts(5)).
  private static func findMountPoint() -> String? {
    guard let file = setmntent("/proc/self/mounts", "re") else { return nil }
    defer { endmntent(file) }
    while let entry = getmntent(file) {
      if strcmp(entry.pointee.mnt_type, "cgroup2") == 0 { return String(cString: entry.pointee.mnt_dir) }
    }
    return nil
  }
}
