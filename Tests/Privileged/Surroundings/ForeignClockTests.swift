// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Run in a time namespace, whose monotonic clock isn't the kernel's.
  @Suite struct ForeignClockTests {
    private static func wrapper(_ offset: Int) -> [String] {
      ["unshare", "-T", "--monotonic", "\(offset)", "--fork", "--kill-child"]
    }

    @Test(arguments: [1_000_000, -100]) func stays(_ offset: Int) throws {
      let pair = try Pair()
      let tracer = try Tracer(["--for", "60s"], of: pair.namespace, wrapper: Self.wrapper(offset))
      try pair.connect()
      let begun = Clocks.realtime()
      try pair.server.ask("close c")
      try pair.client.ask("eof c")
      try tracer.wait(for: ["established→close_wait": 1])
      let ended = Clocks.realtime()
      let rows = try tracer.finishNested()
      let row = try #require(rows.first { $0.transition == "established→close_wait" })
      let time = try #require(row.number("timestamp_unix_nano"))
      #expect((begun - 1_000_000...ended).contains(time), "\(time) between \(begun) and \(ended)")
      let close = try #require(rows.first { $0["state_new"] == "fin_wait_1" })
      #expect(close["duration_kind"] == "exact")
    }

    @Test(arguments: [1_000_000, -100]) func ages(_ offset: Int) throws {
      let pair = try Pair()
      try pair.connect()
      let before = Clocks.monotonic()
      try pair.client.ask("close c")
      try pair.server.ask("eof c")
      let after = Clocks.monotonic()
      Clocks.pass(milliseconds: 300)
      let run = try ChildProcess.run(
        Self.wrapper(offset) + [
          Tracer.binary, "stuck", "--older-than", "200ms", "--format", "csv", "--netns", pair.namespace.path,
        ])
      #expect(run.ending == .exited(1), "\(run.errorText)")
      let row = try #require(try CSVTable(run.output).rows.first)
      let age = try #require(row.number("state_duration_ns"))
      let read = try #require(row.number("timestamp_unix_nano")) - (Clocks.realtime() - Clocks.monotonic())
      #expect(age <= Clocks.monotonic() - before)
      #expect(age + 100_000_000 >= read - after)
    }
  }
}
