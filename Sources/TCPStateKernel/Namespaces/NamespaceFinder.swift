// SPDX-License-Identifier: Apache-2.0
/// Where network namespaces are found, remembered, so that finding a few of them again doesn't take a search.
///
/// Not thread-safe.
final class NamespaceFinder {
  /// Nanoseconds before a namespace that wasn't found is searched for again.
  private static let pause: UInt64 = 10_000_000_000

  private var paths: [UInt32: String] = [:]
  /// When namespaces were searched for in vain, CLOCK_MONOTONIC nanoseconds.
  private var absent: [UInt32: UInt64] = [:]

  /// - Parameter paths: those that are known beforehand.
  init(paths: [UInt32: String] = [:]) {
    self.paths = paths
  }

  /// All that `NetworkNamespaces.all()` finds, and those found before that are still there.
  func all() throws(KernelError) -> [UInt32: String] {
    var found = try NetworkNamespaces.all()
    for (inode, path) in remembered(among: Set(paths.keys).subtracting(found.keys)) { found[inode] = path }
    paths = found
    absent = [:]
    return found
  }

  /// Those of `wanted` that can be found.
  ///
  /// - Parameter exists: whether they are known to exist, so that descriptors are searched, too.
  func find(_ wanted: Set<UInt32>, exists: Bool = false) throws(KernelError) -> [UInt32: String] {
    var found = remembered(among: wanted)
    let now = KernelClock.monotonic()
    var missing = wanted.filter { found[$0] == nil && absent[$0].map { now - $0 >= Self.pause } ?? true }
    guard !missing.isEmpty else { return found }
    for (inode, path) in try NetworkNamespaces.all() where missing.remove(inode) != nil { found[inode] = path }
    if exists {
      for (inode, path) in try NetworkNamespaces.held(missing) where missing.remove(inode) != nil {
        found[inode] = path
      }
    }
    for inode in missing { absent[inode] = now }
    for (inode, path) in found { paths[inode] = path }
    return found
  }

  /// Forgets where a namespace was, because it isn't there any more.
  func forget(_ namespace: UInt32) { paths[namespace] = nil }

  private func remembered(among wanted: Set<UInt32>) -> [UInt32: String] {
    Capabilities.raised([.sysPtrace]) {
      var found: [UInt32: String] = [:]
      for namespace in wanted {
        if let path = paths[namespace], NetworkNamespaces.inode(of: path) == namespace { found[namespace] = path }
      }
      return found
    }
  }
}
