// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Run in a PID namespace of its own, as in a container without the host's.
  @Suite struct PIDNamespaceTests {
    /// A process in a PID namespace of its own, with a /proc of its own, and a way in there for the tracer.
    private final class Container {
      let peer: Peer
      /// As the process knows itself.
      let pid: String
      /// What the host knows it by.
      let hostPID: String

      init(in namespace: NetworkNamespace) throws {
        peer = try Privileged.peer(in: namespace, wrapper: ["unshare", "-p", "-f", "--mount-proc", "--kill-child"])
        pid = try #require(try peer.ask("identity").values["pid"])
        let children = try String(
          decoding: TemporaryFolder.bytes("/proc/\(peer.pid)/task/\(peer.pid)/children"), as: UTF8.self)
        hostPID = try #require(children.split(separator: " ").first.map { String($0) })
      }

      /// Runs a command where the process is, but in the test's network namespace.
      var wrapper: [String] { ["nsenter", "-t", hostPID, "-p", "-m", "--"] }

      func stuck(_ options: [String]) throws -> ChildProcess {
        try ChildProcess.run(wrapper + [Tracer.binary, "stuck", "--older-than", "0s"] + options)
      }
    }

    private static let notice = "this is a PID namespace of its own"

    /// Ids are those that `ps` shows there; of a process outside, the name is known.
    @Test func idsAreThoseInIt() throws {
      let namespace = try NetworkNamespace()
      let container = try Container(in: namespace)
      #expect(container.pid == "1" && container.hostPID != "1")
      let outside = try Privileged.peer(in: namespace)
      let tracer = try Tracer(of: namespace, wrapper: container.wrapper)
      let port = try container.peer.ask("listen l 127.0.0.1").port
      try outside.ask("connect c 127.0.0.1 \(port)")
      try container.peer.ask("accept l c")
      try outside.ask("close c")
      try container.peer.ask("eof c")
      try container.peer.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1])
      let rows = try tracer.finishNested()
      let server = rows.role("server")
      #expect(
        !server.isEmpty && server.allSatisfy { $0["process_pid"] == "1" && $0["process_name"].hasPrefix("python") })
      let closing = try #require(server.first { $0.transition == "close_wait→last_ack" })
      #expect(closing["actor_pid"] == "1")
      let client = rows.role("client")
      #expect(
        !client.isEmpty && client.allSatisfy { $0["process_pid"].isEmpty && $0["process_name"].hasPrefix("python") })
      #expect(tracer.process.errorText.contains(Self.notice))
    }

    /// `--pid` takes the number that one sees there, and a leak is found by it.
    @Test func pidIsThatInIt() throws {
      let namespace = try NetworkNamespace()
      let container = try Container(in: namespace)
      let port = try container.peer.ask("listen l 127.0.0.1").port
      try container.peer.ask("connect c 127.0.0.1 \(port)")
      try container.peer.ask("accept l s")
      try container.peer.ask("close c")
      try container.peer.ask("eof s")
      let found = try container.stuck(["--netns", namespace.path, "--pid", "1", "--format", "csv"])
      #expect(found.ending == .exited(1), "\(found.errorText)")
      let rows = try CSVTable(found.output).rows
      #expect(rows.map { $0["process_pid"] } == ["1"])
      let other = try container.stuck(["--netns", namespace.path, "--pid", container.hostPID])
      #expect(other.ending == .exited(0), "the host's number is nobody's here")
    }

    /// What a process outside holds in another network namespace isn't found, so nothing is said to be all there is.
    @Test func othersMayBeMissing() throws {
      let container = try Container(in: try NetworkNamespace())
      let free = "9"  // discard: nobody here listens on it
      let found = try container.stuck(["-L", free])
      #expect(found.ending == .exited(0))
      #expect(found.errorText.contains("No socket that can be seen from here"))
      #expect(found.errorText.contains("of other network namespaces may be missing"))
      let strict = try container.stuck(["-L", free, "--strict"])
      #expect(strict.ending == .exited(3), "\(strict.errorText)")
      #expect(strict.errorText.contains("other namespaces can't be seen from here"))
    }

    /// TIME-WAIT in a network namespace that isn't found from there isn't said to be over.
    @Test func timeWaitIsNotEnded() throws {
      let pair = try Pair()
      let container = try Container(in: try NetworkNamespace())
      // The names of `ip netns` are another way to it.
      let hidden = ["sh", "-c", "mount -t tmpfs none /run/netns && exec \"$0\" \"$@\""]
      let port = try pair.server.ask("listen l 127.0.0.1").port
      let tracer = try Tracer(["-D", "\(port)", "--strict"], of: nil, wrapper: container.wrapper + hidden)
      for _ in 0..<3 {
        try pair.client.ask("connect c 127.0.0.1 \(port)")
        try pair.server.ask("accept l c")
        try pair.close(first: pair.client, then: pair.server)
      }
      // Two readings of the tables at least, from there and from here.
      let host = try Tracer(["-D", "\(port)"], of: pair.namespace)
      Clocks.pass(milliseconds: 7000)
      #expect(try host.finish().allSatisfy { $0["state_new"] != "closed" }, "it goes on")
      #expect(try tracer.stopNested() == .exited(3))
      let rows = try tracer.rows()
      #expect(rows.count { $0["state_old"] == "fin_wait_1" } == 3, "its events are seen")
      #expect(rows.allSatisfy { $0["state_new"] != "closed" })
    }
  }
}
