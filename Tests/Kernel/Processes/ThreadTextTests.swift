// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateKernel

@Suite struct ThreadTextTests {
  private static func stat(_ name: String, _ state: String, cpu: String = "3") -> String {
    "24533 (\(name)) \(state) 24529 24529 6156 0 -1 4194304 130 0 1 0 12 30 0 0 20 0 1 0 2787480 2990080 415 "
      + "18446744073709551615 1 2 3 0 0 0 0 6 0 1 0 0 17 \(cpu) 0 0 0 0 0 1 2 3 4 5 6 7 0\n"
  }

  @Test(arguments: ["sleep", "a) R 1 (b", "(", ")", "", "x y\n"]) func status(_ name: String) {
    #expect(
      ThreadText.status(Self.stat(name, "S"))
        == ThreadText.Status(name: ShortName(name), run: .sleeping, ticks: 42, processor: 3))
  }

  @Test func states() {
    let expected: [(String, ThreadActivity.Run)] = [
      ("R", .running), ("D", .blocked), ("T", .stopped), ("t", .traced), ("Z", .exited), ("X", .exited),
      ("I", .sleeping),
      ("?", .unknown), ("SS", .unknown),
    ]
    for (letter, run) in expected {
      #expect(ThreadText.status(Self.stat("a", letter))?.run ?? .unknown == run, "\(letter)")
    }
  }

  /// Every cut, and numbers beyond all ranges: unknown, never a crash.
  @Test func damagedStatus() {
    let text = Self.stat("a) b", "S", cpu: "99999999999999999999")
    #expect(ThreadText.status(text)?.processor == nil)
    for length in 0..<text.utf8.count { _ = ThreadText.status(String(text.prefix(length))) }
    #expect(ThreadText.status("1 )a( S") == nil && ThreadText.status("") == nil)
  }

  private static func line(_ number: Int, _ first: UInt64, _ third: UInt64 = 0, stack: UInt64 = 0x7ffe_eeff_4068)
    -> String
  {
    let words = [first, 0, third, 0, 0, 0, stack, 0x7fd8_4f4c_8503].map { "0x" + String($0, radix: 16) }
    return "\(number) \(words.joined(separator: " "))\n"
  }

  @Test func calls() {
    let receive = ThreadText.call(Self.line(Int(SYS_recvfrom), 14))
    #expect(receive == ThreadActivity.Call("recvfrom", descriptors: [14]))
    // The upper half of the register isn't part of an int.
    #expect(ThreadText.call(Self.line(Int(SYS_close), 0xffff_ffff_0000_0007))?.descriptors == [7])
    #expect(ThreadText.call(Self.line(Int(SYS_read), 0xffff_ffff))?.descriptors == [])
    #expect(ThreadText.call(Self.line(Int(SYS_splice), 4, 5))?.descriptors == [4, 5])
    let wait = ThreadText.call(Self.line(Int(SYS_epoll_pwait), 4))
    #expect(wait?.waitsForEvents == true && wait?.descriptors == [])
    #expect(ThreadText.call(Self.line(Int(SYS_futex), 7))?.descriptors == [])
  }

  /// A 32-bit program's numbers are others, and x32's are beyond all.
  @Test func foreignCalls() {
    #expect(ThreadText.call(Self.line(Int(SYS_read), 3, stack: 0xfff0_0000)) == nil)
    #expect(ThreadText.call(Self.line(0x4000_0000, 3)) == nil && ThreadText.call(Self.line(100_000, 3)) == nil)
    for text in [
      "running\n", "-1 0x7ffeeeff4068 0x7fd84f4c8503\n", "", "0", "0 1 2 3 4 5 6 7 8", "0 0x 0x 0x 0x 0x 0x 0x 0x",
    ] {
      #expect(ThreadText.call(text) == nil, "\(text)")
    }
  }

  @Test func channels() {
    #expect(ThreadText.channel("hrtimer_nanosleep") == "hrtimer_nanosleep")
    #expect(ThreadText.channel("futex_do_wait\n") == "futex_do_wait")
    for text in ["0", "", "\n", "\u{1b}[2J", "ä", String(repeating: "a", count: 200)] {
      #expect(ThreadText.channel(text) == nil, "\(text)")
    }
  }

  @Test func lastRuns() {
    func last(_ value: String) -> UInt64? {
      ThreadText.lastRun(
        "head (24301, #threads: 1)\n---\nse.exec_start                :      \(value)\nse.vruntime  :  28428.629227\n")
    }
    #expect(last("27780185.953839") == 27_780_185_953_839)
    for value in [
      "0.000000", "1", "1.5", "-1.000000", "99999999999999999999.000000", "18446744073709551615.000000", "",
    ] {
      #expect(last(value) == nil, "\(value)")
    }
    #expect(ThreadText.lastRun("") == nil)
    // A thread may be called so.
    #expect(ThreadText.lastRun("se.exec_start (1, #threads: 1)\n") == nil)
  }

  @Test func tracer() {
    #expect(ThreadText.number("TracerPid", in: "Name:\ta\nTracerPid:\t812\nUid:\t0\n") == 812)
    #expect(ThreadText.number("TracerPid", in: "Name:\tTracerPid: 1\n") == nil)
  }

  /// Random bytes in every text: no crash, and no descriptor that isn't one.
  @Test func hostile() {
    var generator = SeededGenerator(seed: 7)
    let alphabet = Array("0123456789x-. ()\n\tRSDTtabc:se.exec_start".utf8)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<80, using: &generator)
      let text = String(
        decoding: (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }, as: UTF8.self)
      _ = (ThreadText.status(text), ThreadText.lastRun(text), ThreadText.channel(text))
      for descriptor in ThreadText.call(text)?.descriptors ?? [] { #expect(descriptor <= UInt32(Int32.max)) }
    }
  }
}
