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
    guard !ids.isEmpty, let top = mountPoint() else { return [:] }
    var found: [UInt64: String] = [:]
    var waiting = [""]
    while let path = waiting.popLast(), found.count < ids.count {
      var status = stat()
      guard stat(top + path, &status) == 0 else { continue }
      let id = UInt64(status.st_ino)
      if ids.contains(id) { found[id] = path.isEmpty ? "/" : path }
      waiting += directories(in: top + path).map { "\(path)/\($0)" }
    }
    return found
  }

  /// Where cgroup2 is mounted, from /proc/mounts (proc_pid_mounts(5)).
  private static func mountPoint() -> String? {
    guard let file = setmntent("/proc/self/mounts", "re") else { return nil }
    defer { endmntent(file) }
    while let entry = getmntent(file) {
      if strcmp(entry.pointee.mnt_type, "cgroup2") == 0 { return String(cString: entry.pointee.mnt_dir) }
    }
    return nil
  }

  private static func directories(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
