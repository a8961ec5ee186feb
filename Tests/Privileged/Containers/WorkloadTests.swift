// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// Names of containers, pods and units, in cgroups as runtimes make them and with the files that they write.
  @Suite(.enabled(if: Privilege.cgroupMount != nil, "needs a cgroup v2 mount")) struct WorkloadTests {
    /// A container as far as the host sees one: a cgroup, and its runtime's file. Both are removed with this value.
    private final class Container {
      let id = (0..<2).map { _ in UUID().uuidString.filter { $0 != "-" }.lowercased() }.joined()
      let name = "tst-\(UUID().uuidString.prefix(8).lowercased())"
      private var groups: [String] = []
      /// Files and folders, the innermost last.
      private var made: [String] = []

      /// - Parameters:
      ///   - path: of its cgroup; `ID` stands for its id.
      ///   - file: what its runtime writes, and where; `ID` and `NAME` stand for its own.
      init(_ path: String, file: (path: String, text: String)? = nil) throws {
        var group = try #require(Privilege.cgroupMount) + "/tst-\(UUID().uuidString.prefix(8))"
        for part in [""] + filled(path).split(separator: "/").map({ "/\($0)" }) {
          group += part
          try #require(mkdir(group, 0o755) == 0)
          groups.append(group)
        }
        guard let file else { return }
        var place = ""
        let parts = filled(file.path).split(separator: "/")
        for part in parts.dropLast() {
          place += "/\(part)"
          if mkdir(place, 0o700) == 0 { made.append(place) }
        }
        place += "/\(parts[parts.count - 1])"
        made.append(place)
        try Data(filled(file.text).utf8).write(to: URL(fileURLWithPath: place))
      }

      private func filled(_ text: String) -> String {
        text.replacingOccurrences(of: "ID", with: id).replacingOccurrences(of: "NAME", with: name)
      }

      /// A command that joins it and becomes the next.
      var joined: [String] { ["sh", "-c", "echo $$ > \(groups[groups.count - 1])/cgroup.procs && exec \"$0\" \"$@\""] }

      /// Its last process is gone; so now is all else of it.
      func remove() {
        // The kernel lets go of the process a moment after it was waited for.
        let deadline = Deadline(seconds: 10)
        while let group = groups.last {
          guard rmdir(group) == 0 || errno == ENOENT || deadline.hasPassed else {
            usleep(1_000)
            continue
          }
          groups.removeLast()
        }
        for path in made.reversed() { Glibc.remove(path) }
        made = []
      }

      deinit { remove() }
    }

    private static let docker = (
      path: "/var/lib/docker/containers/ID/config.v2.json",
      text: #"{"Config":{"Env":["PASSWORD=hunter2"]},"ID":"ID","Name":"/NAME"}"#
    )

    /// A client in the container and a server outside; both of the client's ends are in this namespace.
    private struct Traffic {
      let namespace: NetworkNamespace
      let server: Peer
      let port: Int

      init() throws {
        namespace = try NetworkNamespace()
        server = try Privileged.peer(in: namespace)
        port = try server.ask("listen l 127.0.0.1").port
      }

      /// A process of the container opens a connection and closes it.
      func run(in container: Container) throws {
        let client = try Privileged.peer(in: namespace, wrapper: container.joined)
        try client.ask("connect c 127.0.0.1 \(port)")
        try server.ask("accept l c")
        try client.ask("close c")
        try server.ask("eof c")
        try server.ask("close c")
        try server.ask("settle \(port)")
      }
    }

    private static let life = Life.client + Life.activeClose

    /// The filter finds the container although it is made later, from its first row on; nobody else's rows come with it.
    @Test func containerThatComesLater() throws {
      let traffic = try Traffic()
      let name = "tst-later-\(getpid())"
      let tracer = try Tracer(["--container", name], of: traffic.namespace)
      #expect(tracer.process.errorText.contains("No container is named \(name) now; waiting for one.\n"))
      let container = try Container(
        "/docker/ID", file: (Self.docker.path, Self.docker.text.replacingOccurrences(of: "NAME", with: name)))
      try traffic.run(in: container)
      try tracer.wait(for: ["fin_wait_2→time_wait": 1])
      let rows = try tracer.finish().withoutTimeWaitEnds
      #expect(rows.transitions == Self.life)
      #expect(Set(rows.map { $0["container_name"] }) == [name])
      #expect(Set(rows.map { $0["container_id"] }) == [container.id])
      let text = tracer.process.outputText
      #expect(!text.contains("hunter2"), "secrets of its environment stay where they are")
    }

    /// A pod's names come from the names of its logs; one that is gone keeps them.
    @Test func podThatIsGone() throws {
      let traffic = try Traffic()
      let uid = "8f1c2b3a-4d5e-6f70-8192-\(String(UUID().uuidString.lowercased().suffix(12)))"
      let container = try Container(
        "/kubepods/burstable/pod\(uid)/ID", file: ("/var/log/containers/web-7d9f8c_tst-default_NAME-ID.log", ""))
      let tracer = try Tracer(["--pod", "tst-default/web-*"], of: traffic.namespace)
      try traffic.run(in: container)
      try tracer.wait(for: ["fin_wait_2→time_wait": 1])
      container.remove()
      // TIME-WAIT ends a minute later, when nothing of the pod is left.
      try tracer.wait(for: ["time_wait→closed": 1], seconds: 100)
      let rows = try tracer.finish()
      #expect(rows.transitions == Self.life + ["time_wait→closed"])
      #expect(
        Set(rows.map { $0["pod_name"] }) == ["web-7d9f8c"] && Set(rows.map { $0["pod_namespace"] }) == ["tst-default"])
      #expect(Set(rows.map { $0["container_name"] }) == [container.name])
    }

    @Test func unit() throws {
      let traffic = try Traffic()
      let unit = "tst-\(getpid()).service"
      let service = try Container("/system.slice/\(unit)")
      let tracer = try Tracer(["--unit", "tst-\(getpid())"], of: traffic.namespace)
      try traffic.run(in: service)
      try tracer.wait(for: ["fin_wait_2→time_wait": 1])
      let rows = try tracer.finish().withoutTimeWaitEnds
      #expect(rows.transitions == Self.life && Set(rows.map { $0["unit"] }) == [unit])
    }

    /// The leak's container is in the table, in the rows, and picks it; a recording has the same.
    @Test func leak() throws {
      let traffic = try Traffic()
      let container = try Container("/docker/ID", file: Self.docker)
      let folder = try TemporaryFolder()
      let leaky = try Privileged.peer(in: traffic.namespace, wrapper: container.joined)
      let tracer = try Tracer(["--record", folder.file("t.csv")], of: traffic.namespace)
      try leaky.ask("connect c 127.0.0.1 \(traffic.port)")
      try traffic.server.ask("accept l c")
      try traffic.server.ask("close c")
      try tracer.wait(for: ["established→close_wait": 1])
      _ = try tracer.finish()
      let live = [Tracer.binary, "stuck", "--older-than", "0s", "--netns", traffic.namespace.path]
      let recorded = [Tracer.binary, "stuck", "--older-than", "0s", "--read", folder.file("t.csv")]
      for command in [live, recorded] {
        let table = try ChildProcess.run(command)
        #expect(table.ending == .exited(1))
        #expect(table.outputText.contains("CONTAINER\n") && table.outputText.contains("  \(container.name)\n"))
        let rows = try CSVTable(
          ChildProcess.run(command + ["--format", "csv", "--container", String(container.id.prefix(12))]).output
        ).rows
        #expect(rows.map { $0["container_name"] } == [container.name])
        #expect(rows.map { $0["process_pid"] } == ["\(leaky.pid)"])
        let other = try ChildProcess.run(command + ["--format", "csv", "--container", "tst-other"])
        #expect(other.ending == .exited(0))
      }
      let summary = try ChildProcess.run(
        [Tracer.binary, "summary", "--read", folder.file("t.csv"), "--by", "container", "--format", "csv"])
      let groups = try CSVTable(summary.output).rows
      let open = groups.filter { $0["container"] == container.name && $0["state"] == "close_wait" }
      #expect(open.map { $0["open_now"] } == ["1"], "\(summary.outputText)")
    }

    // MARK: - A real one

    private static let podman = ["/usr/bin/podman", "/usr/sbin/runc", "/bin/busybox"]

    /// busybox listens in the container, and its child never closes what it has accepted.
    @Test(.enabled(if: podman.allSatisfy { access($0, X_OK) == 0 }, "needs podman, runc and busybox-static"))
    func podmanLeak() throws {
      let folder = try TemporaryFolder()
      try #require(mkdir(folder.file("bin"), 0o755) == 0)
      try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: folder.file("bin/busybox"))
      let name = "tst-podman-\(getpid())"
      let script = "busybox nc -ll -p 9000 -e busybox sleep 300"
      let run = try ChildProcess.run(
        [
          // What it starts keeps its standard output, which a pipe would be waited for.
          "sh", "-c", #"id=$1; shift; exec "$@" > "$id" 2>&1 < /dev/null"#, "sh", folder.file("id"),
          "podman", "--runtime", "runc", "run", "-d", "--name", name, "--network", "none", "--ulimit",
          "nofile=1024:1024",
          "--ulimit", "nproc=4096:4096", "--rootfs", folder.path, "/bin/busybox", "sh", "-c", script,
        ], seconds: 60)
      defer { _ = try? ChildProcess.run(["podman", "rm", "-f", "-t", "0", name], seconds: 60) }
      let text = try String(contentsOfFile: folder.file("id"), encoding: .utf8)
      try #require(run.ending == .exited(0), "\(text)")
      let id = text.trimmingCharacters(in: .whitespacesAndNewlines)
      let inspect = try ChildProcess.run(["podman", "inspect", "-f", "{{.State.Pid}}", name])
      let pid = inspect.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
      // A client from outside the container, in its network namespace.
      let client =
        "for i in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/9000) 2>/dev/null && exit 0; sleep 0.05; done; exit 1"
      let closed = try ChildProcess.run(["nsenter", "-t", pid, "-n", "bash", "-c", client], seconds: 60)
      #expect(closed.ending == .exited(0), "\(closed.errorText)")
      let command = [Tracer.binary, "stuck", "--older-than", "0s", "--netns", "/proc/\(pid)/ns/net", "--format", "csv"]
      let rows = try CSVTable(ChildProcess.run(command).output).rows
      #expect(!rows.isEmpty && rows.allSatisfy { $0["container_name"] == name && $0["container_id"] == id })
    }
  }
}
