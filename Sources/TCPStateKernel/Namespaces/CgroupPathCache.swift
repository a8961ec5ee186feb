// SPDX-License-Identifier: Apache-2.0
/// Paths of cgroups by id, found by walking the hierarchy once for many.
public struct CgroupPathCache {
  /// Nanoseconds until the next walk for a cgroup that wasn't found, which costs a walk of everything.
  private static let pause: UInt64 = 10_000_000_000
  /// The number of paths kept. Containers come and go; those that are gone aren't asked for again.
  private static let limit = 100_000

  /// As far as found.
  public private(set) var paths: [UInt64: String] = [:]
  private var missing: Set<UInt64> = []
  private var lastFailure: UInt64 = 0
  private let find: (Set<UInt64>) -> [UInt64: String]

  /// - Parameter find: looks for the paths of cgroups.
  public init(find: @escaping (Set<UInt64>) -> [UInt64: String] = CgroupPaths.find) {
    self.find = find
  }

  /// Looks for the paths of cgroups that aren't known yet.
  ///
  /// - Parameter now: CLOCK_MONOTONIC nanoseconds.
  public mutating func look(for ids: [UInt64], now: UInt64) {
    if now &- lastFailure >= Self.pause { missing.removeAll() }
    let unknown = Set(ids.filter { paths[$0] == nil && !missing.contains($0) })
    guard !unknown.isEmpty else { return }
    if paths.count + unknown.count > Self.limit { paths.removeAll() }
    paths.merge(find(unknown)) { _, new in new }
    let failed = unknown.filter { paths[$0] == nil }
    guard !failed.isEmpty else { return }
    missing.formUnion(failed)
    lastFailure = now
  }
}
