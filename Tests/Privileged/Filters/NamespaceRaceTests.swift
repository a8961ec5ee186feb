// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

@testable import TCPStateKernel

extension Privileged {
  /// Between being listed and being entered, what leads to a network namespace can come to lead to another one.
  @Suite struct NamespaceRaceTests {
    /// The namespace that this thread is in.
    private static var here: UInt64 { NetworkNamespace.inode(of: "/proc/thread-self/ns/net") }

    private static func enter(_ namespace: UInt64, _ path: String) throws -> UInt64? {
      let home = here
      let entered = try NetworkNamespaces.inside(UInt32(namespace), path: path) { here }
      #expect(here == home, "it comes back")
      return entered
    }

    @Test func theOneThatWasListedIsEntered() throws {
      let namespace = try NetworkNamespace()
      let listed = try #require(try NetworkNamespaces.all()[UInt32(namespace.inode)])
      #expect(listed == namespace.path)
      #expect(try Self.enter(namespace.inode, listed) == namespace.inode)
    }

    @Test func aNameIsGivenToAnother() throws {
      let (first, second) = (try NetworkNamespace(), try NetworkNamespace())
      let inode = first.inode
      let listed = try #require(try NetworkNamespaces.all()[UInt32(inode)])
      // As if the first were deleted and another one made under its name.
      try Self.run(["umount", first.path])
      #expect(try Self.enter(inode, listed) == nil, "an empty file")
      try Self.run(["mount", "--bind", second.path, first.path])
      #expect(NetworkNamespace.inode(of: listed) == second.inode)
      #expect(try Self.enter(inode, listed) == nil)
    }

    @Test func aProcessIsInAnother() throws {
      let (first, second) = (try NetworkNamespace(), try NetworkNamespace())
      let peer = try Privileged.peer(in: first)
      let listed = try #require(try NetworkNamespaces.all()[UInt32(first.inode)])
      #expect(listed == "/proc/\(peer.pid)/ns/net")
      #expect(try Self.enter(first.inode, listed) == first.inode)
      // A process id that is used again looks the same.
      try peer.ask("enter \(second.path)")
      #expect(try Self.enter(first.inode, listed) == nil)
      // The other way to it is found.
      #expect(try NetworkNamespaces.all()[UInt32(first.inode)] == first.path)
    }

    private static func run(_ command: [String]) throws {
      let process = try ChildProcess.run(command)
      guard process.ending == .exited(0) else { throw TestFailure("\(command): \(process.errorText)") }
    }

    /// A namespace without processes, with a listener and orphans in FIN-WAIT-2: only readings see these.
    private struct Abandoned {
      static let orphans = 5
      let namespace: NetworkNamespace
      let peer: Peer

      init() throws {
        namespace = try NetworkNamespace()
        peer = try Privileged.peer(in: namespace)
      }

      func fill() throws {
        let port = try peer.ask("listen l 127.0.0.1").port
        for number in 1...Self.orphans {
          try peer.ask("connect c\(number) 127.0.0.1 \(port)")
          try peer.ask("accept l s\(number)")
          try peer.ask("close c\(number)")
        }
        try peer.ask("enter /proc/\(getpid())/ns/net")
      }

      /// Those that have begun to close get their peers' FIN.
      func finish() throws {
        for number in 1...Self.orphans { try peer.ask("close s\(number)") }
      }
    }

    /// Traced while a name leads now to one and now to the other, neither's sockets are taken to be gone
    /// because the other's were read instead.
    @Test func namesAreSwappedUnderWay() throws {
      let both = [try Abandoned(), try Abandoned()]
      let tracer = try Tracer(of: nil)
      for one in both { try one.fill() }
      // The newest name is listed first.
      let swap = try ChildProcess([
        Peer.python, Privileged.file("peers/swap.py"), both[0].namespace.path + "-x", both[0].namespace.path,
        both[1].namespace.path,
      ])
      try swap.read(until: Deadline(seconds: 60), "to swap") { $0.outputText.contains("swapping") }
      // Time for some readings, of which there is one a second.
      Clocks.pass(milliseconds: 8000)
      swap.closeInput()
      #expect(try swap.wait(until: Deadline(seconds: 60)) == .exited(0), "\(swap.errorText)")
      let swaps = try #require(swap.outputText.split(separator: "\n").last.flatMap { Int($0) })
      #expect(swaps > 1000)
      for one in both { try one.finish() }
      let inodes = both.map { "\($0.namespace.inode)" }
      // Whoever else has many sockets makes the readings, which get 1 % of a CPU, as many times as rare.
      try tracer.wait("the orphans' TIME-WAIT", seconds: 100) { rows in
        inodes.allSatisfy { inode in
          rows.count { $0["netns"] == inode && $0.transition == "fin_wait_2→time_wait" } == Abandoned.orphans
        }
      }
      let rows = try tracer.finish().filter { inodes.contains($0["netns"]) && $0["role"] != "listener" }
      for life in rows.byConnection {
        #expect(Set(life.map { $0["netns"] }).count == 1)
        #expect([Life.client + Life.activeClose, Life.server + Life.passiveClose].contains(life.transitions))
      }
      #expect(rows.byConnection.count == 4 * Abandoned.orphans)
    }
  }
}
