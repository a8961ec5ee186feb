// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// What `lifecycle` draws against what was on the wire.
@Suite(.serialized, .oneAtATime, .enabled(if: Privilege.canTrace && hasTcpdump, "needs root, kernel BTF and tcpdump"))
struct LifecyclePrivilegedTests {
  /// What one run gave: the ladder, the rows and the packets, of the same connections.
  private struct Run {
    var lives: [DrawnLife]
    var recording: String
    var packets: [Packet]
    var count: Int
  }

  private static func run(_ address: String) throws -> Run {
    let namespace = try NetworkNamespace()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lives-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let pcap = folder.appendingPathComponent("lo.pcap")

    // Headers alone: with whole packets its ring has room for eight.
    let capture = try ChildProcess(
      namespace.command([
        "tcpdump", "-i", "lo", "-s", "128", "--immediate-mode", "-U", "-Z", "root", "-w", pcap.path, "tcp",
      ]))
    try capture.read(until: Deadline(seconds: 60), "to capture") { $0.errorText.contains("listening on") }
    let rows = try Tracer(of: namespace)
    let drawing = try ChildProcess([
      Tracer.binary, "lifecycle", "--format", "jsonl", "--netns", namespace.path, "--for", "150s",
    ])
    try drawing.read(until: Deadline(seconds: 60), "to draw") { $0.errorText.contains("Drawing") }

    let traffic = try ChildProcess.run(
      namespace.command([Peer.python, Privileged.file("peers/lifecycle.py"), address]))
    guard let count = Int(traffic.outputText.split(separator: "\n").first ?? "") else {
      throw TestFailure("no traffic: \(traffic.errorText)")
    }
    try drawing.read(until: Deadline(seconds: 60), "\(count) lives") { process in
      process.output.count { $0 == 0x0a } >= count
    }
    let recording = try rows.stop()
    guard recording == .exited(0) else { throw TestFailure("\(recording): \(rows.process.errorText)") }
    drawing.send(SIGINT)
    try drawing.wait(until: Deadline(seconds: 60))
    // tcpdump doesn't empty its ring when it is ended, so wait for the last segment, the only RST.
    let deadline = Deadline(seconds: 60)
    var packets: [Packet] = []
    while !packets.contains(where: { $0.flags & 4 != 0 }) {
      guard !deadline.hasPassed else { throw TestFailure("the capture isn't complete: \(packets.count) packets") }
      packets = try Capture.packets([UInt8](Data(contentsOf: pcap)))
      Clocks.pass(milliseconds: 20)
    }
    return Run(
      lives: try DrawnLife.parse(drawing.outputText), recording: rows.process.outputText, packets: packets,
      count: count)
  }

  /// Every segment that a life shows was sent, with those numbers; and every SYN, FIN and RST is shown.
  private static func compare(_ lives: [DrawnLife], _ packets: [Packet]) throws {
    var shown: Set<Packet> = []
    for life in lives {
      for step in life.steps {
        guard let packet = try life.packet(step) else { continue }
        let match = packets.first { candidate in
          candidate.source == packet.source && candidate.target == packet.target
            && candidate.sequence == packet.sequence && candidate.flags & 7 == packet.flags & 7
            && candidate.flags & 16 >= packet.flags & 16
            && (packet.flags & 16 == 0 || candidate.acknowledgement == packet.acknowledgement)
        }
        #expect(match != nil, "\(step) of \(life.client.port) → \(life.server.port) is not on the wire")
        if let match { shown.insert(match) }
      }
    }
    for packet in packets where packet.flags & 7 != 0 {
      #expect(shown.contains(packet), "\(packet) is not drawn")
    }
  }

  @Test(arguments: ["127.0.0.1", "::1"])
  func numbersAreThePackets(_ address: String) throws {
    let run = try Self.run(address)
    #expect(run.lives.count == run.count)
    #expect(run.lives.allSatisfy { $0.client.observed && $0.server.observed })
    #expect(run.lives.flatMap(\.steps).allSatisfy { $0.basis != "implied" })
    try Self.compare(run.lives, run.packets)

    // The wrap happened: numbers on both sides of 2^32 in one life.
    let numbers = run.lives.map { life in
      life.steps.filter { $0.actor == "client" }.compactMap(\.sequence)
    }
    let wrapping = numbers.filter { ($0.first ?? 0) > 0xffff_0000 && ($0.last ?? .max) < 0xffff }
    #expect(wrapping.count == 3)

    // Each end for itself implies the same numbers of the other.
    let lines = run.recording.split(separator: "\n")
    let header = try #require(lines.first)
    let role = try #require(header.split(separator: ",").firstIndex(of: "role"))
    for wanted in ["client", "server"] {
      let part = lines.dropFirst().filter { line in
        line.split(separator: ",", omittingEmptySubsequences: false)[role] == wanted
      }
      let lives = try Self.read(([header] + part).joined(separator: "\n") + "\n")
      #expect(lives.count == run.count)
      #expect(lives.allSatisfy { $0.client.observed != $0.server.observed })
      for life in lives {
        for step in life.steps where step.flags?.contains("RST") != true {
          _ = try life.packet(step)
        }
      }
      try Self.compareWithoutResets(lives, run.packets)
    }
    let whole = try Self.read(run.recording)
    #expect(whole.map { $0.steps.count }.sorted() == run.lives.map { $0.steps.count }.sorted())
  }

  /// A RST's acknowledgement number isn't known to the end that gets it.
  private static func compareWithoutResets(_ lives: [DrawnLife], _ packets: [Packet]) throws {
    let kept = lives.map { life in
      var life = life
      life.steps.removeAll { $0.flags?.contains("RST") == true }
      return life
    }
    try compare(kept, packets.filter { $0.flags & 4 == 0 })
  }

  private static func read(_ recording: String) throws -> [DrawnLife] {
    let process = try ChildProcess([Tracer.binary, "lifecycle", "--read", "-", "--format", "jsonl"])
    try process.write(recording)
    process.closeInput()
    let ending = try process.wait(until: Deadline(seconds: 60))
    guard ending == .exited(0) else { throw TestFailure("\(ending): \(process.errorText)") }
    return try DrawnLife.parse(process.outputText)
  }
}

private let hasTcpdump = ["/usr/bin/tcpdump", "/usr/sbin/tcpdump"].contains { path in
  FileManager.default.isExecutableFile(atPath: path)
}
