import Foundation
import TestSupport
import Testing

extension Privileged {
  @Suite struct CrowdTests {
    /// Connections, and so twice as many sockets, by two processes on either side.
    private static let size = 20_000

    /// 20,000 sockets open at once, closed in random order, every stay compared with the truth.
    @Test(.timeLimit(.minutes(2))) func everyDurationIsRight() throws {
      let namespace = try NetworkNamespace()
      let folder = try TemporaryFolder()
      let clients = try (0..<2).map { _ in try Privileged.peer(in: namespace) }
      let servers = try (0..<2).map { _ in try Privileged.peer(in: namespace) }
      for peer in clients + servers { try peer.ask("descriptors \(Self.size / 2 + 100)") }
      let tracer = try Tracer(
        [
          "--state", "established", "--output", folder.file("rows.csv"), "--columns",
          "role,local_port,peer_port,state_old,state_new,state_duration_ns,duration_kind", "--format", "csv",
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
      // The kernel may skip the program where an interrupt hits it; that is counted and told. The buffer holds all.
      #expect(!tracer.process.errorText.contains("the buffer was full"), "\(tracer.process.errorText)")

      let truth = try Self.truth(folder.file("truth0")).merging(Self.truth(folder.file("truth1"))) { one, _ in one }
      #expect(truth.count == Self.size)
      let found = try Self.stays(folder.file("rows.csv"))
      #expect(found.exact == 2 * Self.size, "both ends' stays, all exact")
      #expect(found.client.count == Self.size)
      #expect(found.server.count == Self.size)
      let wrong = truth.filter { ports, bounds in !(found.client[ports].map { bounds.contains($0) } ?? false) }
      #expect(wrong.count == 0, "the client's within the calls around it")
      // The server's begins and ends with the network, which may lag a little.
      let slack: UInt64 = 50_000_000
      let wrongServer = truth.filter { ports, bounds in
        let wide = (bounds.lowerBound - min(bounds.lowerBound, slack))...(bounds.upperBound + slack)
        return !(found.server[ports].map { wide.contains($0) } ?? false)
      }
      #expect(wrongServer.count == 0)
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
    ) throws -> (client: [String: UInt64], server: [String: UInt64], exact: Int) {
      var client: [String: UInt64] = [:]
      var server: [String: UInt64] = [:]
      var exact = 0
      for line in try TemporaryFolder.bytes(path).split(separator: 0x0a) {
        let fields = line.split(separator: 0x2c, omittingEmptySubsequences: false).map {
          String(decoding: $0, as: UTF8.self)
        }
        guard fields.count == 7, fields[3] == "established", let stay = UInt64(fields[5]) else { continue }
        if fields[0] == "client" { client["\(fields[1])-\(fields[2])"] = stay }
        if fields[0] == "server" { server["\(fields[2])-\(fields[1])"] = stay }
        if fields[6] == "exact" { exact += 1 }
      }
      return (client, server, exact)
    }
  }
}
