// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  @Suite struct CrowdTests {
    /// Connections, and so twice as many sockets, by two processes on either side.
    private static let size = 20_000

    /// 20,000 sockets open at once, closed in random order, every stay compared with the truth.
    @Test(.timeLimit(.minutes(4))) func everyDurationIsRight() throws {
      let namespace = try NetworkNamespace()
      let folder = try TemporaryFolder()
      let clients = try (0..<2).map { _ in try Privileged.peer(in: namespace) }
      let servers = try (0..<2).map { _ in try Privileged.peer(in: namespace) }
      for peer in clients + servers { try peer.ask("descriptors \(Self.size / 2 + 100)") }
      let tracer = try Tracer(
        [
          // Room for every event: what is under test is the stays, not how often the consumer gets a busy CPU.
          "--buffer", "64M", "--state", "established", "--output", folder.file("rows.csv"), "--columns",
          "role,local_port,peer_port,state_old,state_new,state_duration_ns,duration_kind,actor_name", "--format", "csv",
        ], of: namespace)
      for (client, server) in zip(clients, servers) {
        let port = try server.ask("listen l 127.0.0.1 0 4096").port
        for _ in 0..<(Self.size / 2000) {
          try client.start("crowd_connect 127.0.0.1 \(port) 1000")
          try server.ask("crowd_accept l 1000", seconds: 30)
          _ = try client.answer(seconds: 30)
        }
      }
      for (index, client) in clients.enumerated() {
        try client.ask("crowd_close 7 \(folder.file("truth\(index)"))", seconds: 30)
      }
      for server in servers { try server.ask("crowd_close 8", seconds: 30) }
      #expect(try tracer.stop() == .exited(0))
      // The kernel may skip the program where an interrupt hits it; that is counted and reported. The buffer holds all.
      let said = tracer.process.errorText
      #expect(!said.contains("the buffer was full"), "\(said)")
      let skipped = try #require(tracer.reportedLoss, "\(said)")

      let truth = try Self.truth(folder.file("truth0")).merging(Self.truth(folder.file("truth1"))) { one, _ in one }
      #expect(truth.count == Self.size)
      let found = try Self.stays(folder.file("rows.csv"))
      let exact = found.client.values.count { $0.isExact } + found.server.values.count { $0.isExact }
      #expect(exact + skipped >= 2 * Self.size, "both ends' stays, all exact except the \(skipped) skipped: \(said)")
      // A tracer that reads the descriptors at that moment, such as another test's, has held the
      // socket's file, and so its close() came after the client's call. From below it must be right all the same.
      let late = Set(found.client.filter { $0.value.actor != "python3" }.keys)
      #expect(late.count < 20, "\(found.client.filter { late.contains($0.key) })")
      // The client's lie within the calls around them; the server's begin and end with the network, which may lag.
      let wrong =
        Self.wrong(found.client, truth, slack: 0, late) + Self.wrong(found.server, truth, slack: 50_000_000, late)
      #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(5)); \(said)")
    }

    private struct StayFound {
      let nanoseconds: UInt64
      let isExact: Bool
      /// Who ended it.
      let actor: String
    }

    /// Stays that aren't within the truth, or for lower bounds not below it; with no upper one for those that ended late.
    private static func wrong(
      _ found: [String: StayFound], _ truth: [String: ClosedRange<UInt64>], slack: UInt64, _ late: Set<String>
    ) -> [String] {
      found.compactMap { ports, stay in
        guard let bounds = truth[ports] else { return "\(ports): no such connection" }
        let least = stay.isExact ? bounds.lowerBound - min(bounds.lowerBound, slack) : 0
        let most = late.contains(ports) ? .max : bounds.upperBound + slack
        let isRight = (least...most).contains(stay.nanoseconds)
        return isRight ? nil : "\(ports): \(stay) isn't in \(bounds)"
      }
    }

    private static func truth(_ path: String) throws -> [String: ClosedRange<UInt64>] {
      var truth: [String: ClosedRange<UInt64>] = [:]
      for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ")
        guard words.count == 3, let least = UInt64(words[1]), let most = UInt64(words[2])
        else { throw TestFailure("no truth: \(line)") }
        truth[String(words[0])] = least...most
      }
      return truth
    }

    /// The stays in ESTABLISHED by client's and server's port, of either end. No field needs quotes, so a split will do.
    private static func stays(
      _ path: String
    ) throws -> (client: [String: StayFound], server: [String: StayFound]) {
      var client: [String: StayFound] = [:]
      var server: [String: StayFound] = [:]
      for line in try TemporaryFolder.bytes(path).split(separator: 0x0a) {
        let fields = line.split(separator: 0x2c, omittingEmptySubsequences: false).map {
          String(decoding: $0, as: UTF8.self)
        }
        guard fields.count == 8, fields[3] == "established", let stay = UInt64(fields[5]) else { continue }
        let found = StayFound(nanoseconds: stay, isExact: fields[6] == "exact", actor: fields[7])
        if fields[0] == "client" { client["\(fields[1])-\(fields[2])"] = found }
        if fields[0] == "server" { server["\(fields[2])-\(fields[1])"] = found }
      }
      return (client, server)
    }
  }
}
