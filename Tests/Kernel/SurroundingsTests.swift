// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateKernel

@Suite struct SurroundingsTests {
  private static func surroundings(
    _ others: [Surroundings.Kind: UInt32?] = [:], hasProc: Bool = true, offsets: String? = nil
  ) -> Surroundings {
    Surroundings(hasProc: hasProc, offsets: offsets) { kind in
      if let other = others[kind] { return other }
      return kind.initialInode
    }
  }

  @Test func initial() {
    let surroundings = Self.surroundings()
    for kind in Surroundings.Kind.allCases { #expect(surroundings.place(kind) == .initial) }
    #expect(surroundings.limits.isEmpty && !surroundings.hidesNamespaces)
    #expect(surroundings.pidNamespace == nil && surroundings.clockOffset == 0)
  }

  /// What follows from each kind alone.
  @Test(
    arguments: [
      (.pid, [.processesOutside]), (.cgroup, [.cgroupsOutside]), (.net, []), (.user, []), (.time, [.clockUnknown]),
    ] as [(Surroundings.Kind, Set<Surroundings.Limit>)])
  func other(_ kind: Surroundings.Kind, _ limits: Set<Surroundings.Limit>) {
    let surroundings = Self.surroundings([kind: 4_026_532_177])
    #expect(surroundings.place(kind) == .other(4_026_532_177))
    #expect(surroundings.limits == limits)
    #expect(surroundings.hidesNamespaces == (kind == .pid))
    #expect((surroundings.pidNamespace == 4_026_532_177) == (kind == .pid))
  }

  /// A known offset is no limit.
  @Test func time() {
    let surroundings = Self.surroundings([.time: 5], offsets: "monotonic        1000         5\nboottime  3 0\n")
    #expect(surroundings.limits.isEmpty)
    #expect(surroundings.clockOffset == 1_000_000_000_005)
    #expect(Self.surroundings(offsets: "monotonic 7 0\n").clockOffset == 0, "those of its children")
    #expect(Self.surroundings([.time: nil]).clockOffset == 0, "a kernel without time namespaces")
  }

  @Test(arguments: [
    ("monotonic -86400 500\n", -86_399_999_999_500), ("1 2 3\n7 8 9\n", 2_000_000_003), ("boottime 1 2\n", nil),
    ("", nil), ("monotonic x 2\n", nil), ("monotonic 1\n", nil), ("monotonic 9223372036854775807 0\n", nil),
  ])
  func offset(_ text: String, _ expected: Int64?) {
    #expect(Surroundings.monotonicOffset(text) == expected)
  }

  @Test func withoutProc() {
    let known = Self.surroundings(hasProc: false)
    #expect(known.limits == [.noProc] && known.hidesNamespaces)
    let unknown = Surroundings(hasProc: false, offsets: nil) { _ in nil }
    #expect(unknown.limits == [.noProc, .processesUnknown, .clockUnknown])
    #expect(unknown.place(.pid) == .unknown && unknown.pidNamespace == nil)
  }

  /// The kernel gives the same without /proc, since Linux 6.11.
  @Test(arguments: Surroundings.Kind.allCases) func own(_ kind: Surroundings.Kind) throws {
    let listed = try #require(FileDescriptor.inode(of: "/proc/self/ns/\(kind.rawValue)"))
    #expect(Surroundings.ownInode(kind) == listed)
    guard let opened = Surroundings.openOwn(kind) else { return }
    #expect(opened.inode == listed)
  }
}

@Suite struct NamespaceMountsTests {
  @Test func parses() {
    let text = """
      24 31 0:22 / /proc rw,relatime - proc proc rw
      41 31 0:4 net:[4026532177] /run/docker/netns/abc rw shared:5 - nsfs nsfs rw
      42 31 0:4 net:[4026532178] /tmp/a\\040b\\134c\\011 rw - nsfs nsfs rw
      43 31 0:4 net:[4026532177] /second rw - nsfs nsfs rw
      44 31 0:4 mnt:[4026532179] /mnt rw - nsfs nsfs rw
      45 31 0:4 net:[x] /x rw - nsfs nsfs rw
      46 31 0:4 net:[1
      """
    #expect(
      NamespaceMounts.parse(text[...]) == [4_026_532_177: "/run/docker/netns/abc", 4_026_532_178: "/tmp/a b\\c\t"])
  }

  @Test(arguments: [("a\\", "a\\"), ("\\8", "\\8"), ("\\04", "\\04"), ("\\0401", " 1"), ("\\199", "\\199")])
  func oddEscapes(_ written: String, _ meant: String) {
    #expect(NamespaceMounts.parse("1 2 0:4 net:[7] \(written) rw - nsfs nsfs rw"[...]) == [7: meant])
  }
}

@Suite struct NamespaceFinderTests {
  /// This process's own is found without looking for descriptors; one that isn't there stays unfound.
  @Test func own() throws {
    let own = try #require(NetworkNamespaces.own)
    let finder = NamespaceFinder()
    #expect(try finder.find([own, 1]).keys.sorted() == [own])
    #expect(try finder.find([own, 1], exists: true).keys.sorted() == [own])
    #expect(try finder.all()[own] == NetworkNamespaces.ownPath)
  }

  /// A path that was known is used only as long as it leads there.
  @Test func remembered() throws {
    let own = try #require(NetworkNamespaces.own)
    #expect(
      try NamespaceFinder(paths: [own: "/proc/thread-self/ns/net"]).find([own]) == [own: "/proc/thread-self/ns/net"])
    #expect(try NamespaceFinder(paths: [own: "/proc/self/ns/pid"]).find([own]) == [own: NetworkNamespaces.ownPath])
    #expect(try NamespaceFinder(paths: [1: "/proc/self/ns/net"]).find([1]).isEmpty)
  }
}
