// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// What must come out for one end of a connection.
struct ExpectedEnd: Sendable, CustomStringConvertible {
  let role: String
  let closer: String
  /// Of the last row that has one.
  let reason: String
  /// From the first state to the last.
  let states: String

  init(_ role: String, _ closer: String, _ reason: String, _ states: String) {
    self.role = role
    self.closer = closer
    self.reason = reason
    self.states = states
  }

  var description: String { "\(role) \(closer) \(reason): \(states)" }

  /// What the rows of one connection say.
  init(_ rows: [CSVTable.Row]) {
    let last = rows[rows.count - 1]
    role = last["role"]
    closer = last["closer"]
    reason = rows.last { !$0["reason"].isEmpty }?["reason"] ?? ""
    states = ([rows[0]["state_old"]] + rows.withoutOwners.map { $0["state_new"] }).joined(separator: " ")
  }
}

struct ExpectedLife: Sendable, CustomTestStringConvertible {
  let name: String
  let ends: [ExpectedEnd]

  init(_ name: String, _ ends: ExpectedEnd...) {
    self.name = name
    self.ends = ends
  }

  var testDescription: String { name }
}

private let opened = "closed syn_sent established"
private let accepted = "listen syn_received established"
private let activelyClosed = "fin_wait_1 fin_wait_2 time_wait"
private let passivelyClosed = "close_wait last_ack closed"

extension ExpectedEnd {
  static func client(_ closer: String, _ reason: String, _ rest: String) -> ExpectedEnd {
    ExpectedEnd("client", closer, reason, "\(opened) \(rest)")
  }

  static func server(_ closer: String, _ reason: String, _ rest: String) -> ExpectedEnd {
    ExpectedEnd("server", closer, reason, "\(accepted) \(rest)")
  }
}

/// Every way of `peers/lives.py`, and what the tracer must say of it.
private let lives: [ExpectedLife] = [
  ExpectedLife(
    "client_closes_first", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife(
    "client_closes_first/ipv6", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife(
    "client_closes_first/mapped", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife(
    "server_closes_first", .client("passive", "fin", passivelyClosed), .server("active", "fin", activelyClosed)),
  ExpectedLife(
    "server_closes_first/ipv6", .client("passive", "fin", passivelyClosed), .server("active", "fin", activelyClosed)),
  ExpectedLife(
    "orphan_fin_wait_2", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife(
    "closed_in_fin_wait_2", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife("fin_with_ack", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife("linger_0", .client("", "aborted", "closed"), .server("", "reset_received", "closed")),
  ExpectedLife("unread_data", .client("", "aborted", "closed"), .server("", "reset_received", "closed")),
  ExpectedLife("disconnect", .client("", "aborted", "closed"), .server("", "reset_received", "closed")),
  ExpectedLife(
    "reset_in_fin_wait_1", .client("active", "reset_received", "fin_wait_1 closed"),
    .server("passive", "aborted", "close_wait closed")),
  ExpectedLife(
    "reset_in_fin_wait_2", .client("active", "reset_received", "fin_wait_1 fin_wait_2 closed"),
    .server("passive", "aborted", "close_wait closed")),
  ExpectedLife(
    "reset_in_close_wait", .client("active", "aborted", "fin_wait_1 fin_wait_2 closed"),
    .server("passive", "reset_received", "close_wait closed")),
  ExpectedLife(
    "reset_in_last_ack", .client("active", "aborted", "fin_wait_1 fin_wait_2 closed"),
    .server("passive", "reset_received", "close_wait last_ack closed")),
  ExpectedLife(
    "data_for_an_orphan", .client("active", "reset_sent", "fin_wait_1 fin_wait_2 closed"),
    .server("passive", "reset_received", "close_wait closed")),
  ExpectedLife("refused", ExpectedEnd("client", "", "refused", "closed syn_sent closed")),
  ExpectedLife("connect_timeout", ExpectedEnd("client", "", "timeout", "closed syn_sent closed")),
  ExpectedLife("user_timeout", .client("", "timeout", "closed"), .server("", "aborted", "closed")),
  ExpectedLife("keep_alive", .client("", "timeout", "closed"), .server("", "reset_received", "closed")),
  ExpectedLife(
    "unacknowledged_orphan", .client("active", "timeout", "fin_wait_1 closed"), .server("", "aborted", "closed")),
  ExpectedLife(
    "simultaneous_close", .client("both", "fin", "fin_wait_1 closing time_wait"),
    .server("both", "fin", "fin_wait_1 closing time_wait")),
  ExpectedLife(
    "self_connect",
    ExpectedEnd("client", "both", "fin", "closed syn_sent syn_received established fin_wait_1 closing time_wait")),
  ExpectedLife("never_accepted", .client("", "reset_received", "closed"), .server("", "unaccepted", "closed")),
  ExpectedLife(
    "never_accepted_and_left", .client("active", "reset_received", "fin_wait_1 fin_wait_2 closed"),
    .server("passive", "unaccepted", "close_wait closed")),
  ExpectedLife(
    "backlog_overflow", .client("", "aborted", "closed"), .server("", "reset_received", "closed"),
    ExpectedEnd("client", "", "aborted", "closed syn_sent closed")),
  ExpectedLife("killed", .client("", "killed", "closed"), .server("", "reset_received", "closed")),
  ExpectedLife(
    "fast_open", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed),
    .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife("syn_cookie", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife("half_open", .client("active", "fin", activelyClosed), .server("passive", "fin", passivelyClosed)),
  ExpectedLife(
    "half_open_for_good", ExpectedEnd("client", "", "timeout", "closed syn_sent closed"),
    ExpectedEnd("server", "", "timeout", "listen syn_received closed")),
  ExpectedLife(
    "reused", .client("active", "reused", activelyClosed + " closed"), .server("passive", "fin", passivelyClosed),
    .client("passive", "fin", passivelyClosed), .server("active", "fin", activelyClosed)),
]

extension Privileged {
  /// One tracer over all lives, so that they also don't disturb each other.
  @Suite struct LivesTests {
    @Test func everyLife() throws {
      var (rows, ports, said) = try Self.trace()
      // Rarely the kernel doesn't report a client's last two transitions (docs/FAULTS.md). Twice in a row is our fault.
      if said.contains(" 0 lost, 1 unmatched"),
        rows.contains(where: { $0.transition == "fin_wait_1→time_wait" && $0["source"] == "derived" })
      {
        (rows, ports, said) = try Self.trace()
      }
      for life in lives {
        let wanted = ports[life.name] ?? []
        let ends = rows.byConnection
          .filter { $0[0]["role"] != "listener" && Self.touches($0, wanted) }
          .map { ExpectedEnd($0).description }
        #expect(ends.sorted() == life.ends.map(\.description).sorted(), "\(life.name)")
      }
      #expect(said.contains(" 0 lost, 0 unmatched"))
      if Self.knowsResetReasons { Self.checkResets(rows, ports) }
    }

    /// - Returns: the rows of all lives, each life's ports, and what the tracer said.
    private static func trace() throws -> (rows: [CSVTable.Row], ports: [String: Set<String>], said: String) {
      let namespace = try NetworkNamespace()
      let tracer = try Tracer(of: namespace)
      let peers = try ChildProcess.run(
        namespace.command([Peer.python, Privileged.file("peers/lives.py")] + lives.map(\.name)), seconds: 90)
      try #require(peers.ending == .exited(0), "\(peers.errorText)")
      return (try tracer.finish(), Self.ports(peers.outputText), tracer.process.errorText)
    }

    /// Linux 6.10 and newer say why they send a RST.
    private static var knowsResetReasons: Bool {
      var name = utsname()
      uname(&name)
      let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      let numbers = release.split(separator: ".").prefix(2).compactMap { Int($0) }
      return numbers.count == 2 && (numbers[0], numbers[1]) >= (6, 10)
    }

    private static func checkResets(_ rows: [CSVTable.Row], _ ports: [String: Set<String>]) {
      for (life, wanted) in [
        ("unread_data", "aborted tcp_abort_on_close"), ("linger_0", "aborted tcp_state"),
        ("data_for_an_orphan", "reset_sent tcp_timewait_socket"), ("never_accepted", "unaccepted tcp_state"),
      ] {
        let found = rows.filter { touches([$0], ports[life] ?? []) && !$0["reset_reason"].isEmpty }
        #expect(found.map { "\($0["reason"]) \($0["reset_reason"])" } == [wanted], "\(life)")
      }
      #expect(rows.allSatisfy { $0["reset_reason"].isEmpty || $0["state_new"] == "closed" })
    }

    /// "NAME PORT…" lines; the same name may come twice.
    private static func ports(_ text: String) -> [String: Set<String>] {
      var ports: [String: Set<String>] = [:]
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ").map { String($0) }
        if words.count > 1 { ports[words[0], default: []].formUnion(words[1...]) }
      }
      return ports
    }

    private static func touches(_ rows: [CSVTable.Row], _ ports: Set<String>) -> Bool {
      rows.contains { ports.contains($0["local_port"]) || ports.contains($0["peer_port"]) }
    }
  }
}
