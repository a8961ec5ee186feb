// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel
import Testing

/// How often the hierarchy of cgroups is walked.
@Suite struct CgroupPathCacheTests {
  private static let second: UInt64 = 1_000_000_000

  /// Counts the walks of a hierarchy that has these cgroups.
  private final class Hierarchy {
    var paths: [UInt64: String] = [1: "/a", 2: "/b"]
    private(set) var walks = 0

    var cache: CgroupPathCache {
      CgroupPathCache { ids in
        self.walks += 1
        return self.paths.filter { ids.contains($0.key) }
      }
    }
  }

  @Test func oneWalkForMany() {
    let hierarchy = Hierarchy()
    var cache = hierarchy.cache
    for socket in 0..<1000 { cache.look(for: [1, 2], now: UInt64(socket)) }
    #expect(hierarchy.walks == 1 && cache.paths == [1: "/a", 2: "/b"])
    cache.look(for: [], now: 0)
    #expect(hierarchy.walks == 1)
  }

  /// A cgroup that isn't there is looked for again, but not at once: that would be a walk for each of its sockets.
  @Test func missingOnes() {
    let hierarchy = Hierarchy()
    var cache = hierarchy.cache
    for time in 0..<9 { cache.look(for: [1, 3], now: 100 * Self.second + UInt64(time) * Self.second) }
    #expect(hierarchy.walks == 1 && cache.paths == [1: "/a"])
    // A new one isn't held up by that.
    hierarchy.paths[4] = "/d"
    cache.look(for: [4, 3], now: 109 * Self.second)
    #expect(hierarchy.walks == 2 && cache.paths[4] == "/d")
    hierarchy.paths[3] = "/c"
    cache.look(for: [3], now: 110 * Self.second)
    #expect(hierarchy.walks == 3 && cache.paths[3] == "/c")
  }
}
