// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// `--cgroup` in a cgroup namespace, where the mount doesn't begin at the root.
  @Suite(.enabled(if: Privilege.cgroupMount != nil, "needs a cgroup v2 mount")) struct CgroupNamespaceTests {
    @Test func filter() throws {
      let mount = try #require(Privilege.cgroupMount)
      let group = "\(mount)/tst-\(getpid())"
      defer { rmdir(group) }
      try #require(mkdir(group, 0o755) == 0)
      let folder = try TemporaryFolder()
      try check(group, mount: folder.path)
    }

    /// The processes in the group are gone when it returns.
    private func check(_ group: String, mount: String) throws {
      let pair = try Pair()
      let inside = try Privileged.peer(in: pair.namespace, wrapper: Self.join(group))
      // The namespace's root is that cgroup; it has to be mounted anew to show it.
      let wrapper =
        Self.join(group) + [
          "unshare", "-C", "-m", "sh", "-c", "mount -t cgroup2 none \(mount) && exec \"$0\" \"$@\"",
        ]
      let tracer = try Tracer(["--cgroup", mount], of: pair.namespace, wrapper: wrapper)
      try pair.connect()
      let port = try inside.ask("listen l 127.0.0.1").port
      try inside.ask("connect c 127.0.0.1 \(port)")
      try tracer.wait(for: ["syn_sent→established": 1])
      let rows = try tracer.finish()
      #expect(Set(rows.role("client").map { $0["process_pid"] }) == ["\(inside.pid)"], "and none of the other cgroup's")
      #expect(tracer.process.errorText.contains("cgroups outside this cgroup namespace have no paths"))
      try inside.ask("close c")
    }

    private static func join(_ group: String) -> [String] {
      ["sh", "-c", "echo $$ > \(group)/cgroup.procs && exec \"$0\" \"$@\""]
    }
  }
}
