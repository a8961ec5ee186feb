// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Without /proc, as in a bare chroot.
  @Suite struct NoProcTests {
    private static let wrapper = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" \"$@\""]

    private static func run(_ arguments: [String]) throws -> ChildProcess {
      try ChildProcess.run(wrapper + [Tracer.binary] + arguments)
    }

    @Test func argumentsAreHeeded() throws {
      #expect(try Self.run(["--version"]).outputText.hasPrefix("tcpstate-trace "))
      #expect(try Self.run(["--bogus"]).ending == .exited(64))
      #expect(try Self.run(["summary", "--read", "/none.csv"]).ending == .exited(65))
    }

    @Test func ownNamespaceIsRead() throws {
      let pair = try Pair()
      try pair.connect()
      try pair.client.ask("close c")
      try pair.server.ask("eof c")
      let run = try ChildProcess.run(
        pair.namespace.command(Self.wrapper) + [
          Tracer.binary, "stuck", "--netns", "self", "--older-than", "0s", "--format", "csv",
        ])
      #expect(run.ending == .exited(1), "\(run.errorText)")
      #expect(try CSVTable(run.output).rows.map { $0["process_pid"] } == ["\(pair.server.pid)"])
      #expect(run.errorText.contains("/proc isn't mounted"))
    }

    @Test func othersMayBeMissing() throws {
      let run = try Self.run(["stuck", "-L", "9", "--strict"])
      #expect(run.ending == .exited(3), "\(run.errorText)")
      #expect(run.errorText.contains("No socket that can be seen from here"))
      let tracer = try Tracer(["--strict", "-L", "9"], of: nil, wrapper: Self.wrapper)
      #expect(try tracer.stop() == .exited(3))
      #expect(tracer.process.errorText.contains("/proc isn't mounted"))
    }
  }
}
