// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// Each filter alone, and two together, against the same traffic.
  @Suite struct FilterTests {
    /// Two connections of the same client: IPv4 to one server, IPv6 to another.
    private struct Traffic {
      let namespace: NetworkNamespace
      let client: Peer
      let servers: [Peer]
      let ports: [Int]

      init(wrapper: [String] = []) throws {
        namespace = try NetworkNamespace()
        client = try Privileged.peer(in: namespace)
        let servers = [
          try Privileged.peer(in: namespace, wrapper: wrapper), try Privileged.peer(in: namespace),
        ]
        self.servers = servers
        try servers[1].ask("comm \("other".utf8.map { String($0, radix: 16) }.joined())")
        ports = [try servers[0].ask("listen l 127.0.0.1").port, try servers[1].ask("listen l ::1").port]
      }

      /// - Returns: the client's ports.
      @discardableResult
      func run() throws -> [Int] {
        var used: [Int] = []
        for (index, address) in ["127.0.0.1", "::1"].enumerated() {
          used.append(try client.ask("connect c \(address) \(ports[index])").port)
          try servers[index].ask("accept l c")
          try client.ask("close c")
          try servers[index].ask("eof c")
          try servers[index].ask("close c")
          try servers[index].ask("settle \(ports[index])")
        }
        return used
      }
    }

    /// Traces the traffic by a filter that lets some of it pass.
    private func trace(_ traffic: Traffic, _ options: [String], named: Bool = true) throws -> [CSVTable.Row] {
      let tracer = try Tracer(options, of: named ? traffic.namespace : nil)
      try traffic.run()
      let rows = try tracer.finish().withoutTimeWaitEnds.filter { $0["netns"] == "\(traffic.namespace.inode)" }
      #expect(tracer.process.errorText.contains("0 unmatched"), "\(options)")
      return rows
    }

    private static let both = Life.client + Life.activeClose
    private static let all = 2 * (2 + 3) * 2

    @Test func none() throws {
      #expect(try trace(Traffic(), []).count == Self.all)
    }

    @Test(arguments: [("-4", "ipv4"), ("-6", "ipv6"), ("--ipv4", "ipv4"), ("--ipv6", "ipv6")])
    func family(_ option: String, _ type: String) throws {
      let rows = try trace(Traffic(), [option])
      #expect(rows.count == Self.all / 2)
      #expect(Set(rows.map { $0["network_type"] }) == [type])
    }

    /// CLOSED → SYN-SENT too, though it comes before the port is known.
    @Test func localPort() throws {
      let traffic = try Traffic()
      let rows = try trace(traffic, ["-L", "\(traffic.ports[0]),1-2"])
      #expect(rows.transitions == Life.server + Life.passiveClose)
      #expect(Set(rows.map { $0["local_port"] }) == ["\(traffic.ports[0])"])
    }

    /// Both ends of one connection, the client's first row too, by an option or a word.
    @Test(arguments: [["--port"], []])
    func portOfEitherEnd(_ option: [String]) throws {
      let traffic = try Traffic()
      let rows = try trace(traffic, option + ["\(traffic.ports[0])"])
      #expect(rows.count == Self.all / 2)
      #expect(rows.allSatisfy { [$0["local_port"], $0["peer_port"]].contains("\(traffic.ports[0])") })
    }

    @Test func localPortOfTheClient() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      let tracer = try Tracer(["-L", "20000"], of: pair.namespace)
      for local in [20_001, 20_000] {
        try pair.client.ask("connect c 127.0.0.1 \(port) 127.0.0.1/\(local)")
        try pair.server.ask("accept l c")
        try pair.close(first: pair.client, then: pair.server)
      }
      try pair.server.ask("settle \(port)")
      let rows = try tracer.finish().withoutTimeWaitEnds
      #expect(rows.transitions == Self.both)
      #expect(Set(rows.map { $0["local_port"] }) == ["20000"])
    }

    /// A connection of another port that was being made at the start isn't the filter's business, whatever becomes of it.
    @Test func connectingSinceBefore() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      func nft(_ commands: String) throws {
        let run = try ChildProcess.run(pair.namespace.command(["nft", commands]))
        try #require(run.ending == .exited(0), "\(run.errorText)")
      }
      try nft(
        "add table inet t; add chain inet t i { type filter hook input priority 0; }; add rule inet t i tcp dport \(port) drop"
      )
      try pair.client.start("connect c 127.0.0.1 \(port)")
      let deadline = Deadline(seconds: 20)
      while try ChildProcess.run(pair.namespace.command(["ss", "-Htn", "state", "syn-sent"])).outputText.isEmpty {
        if deadline.hasPassed { throw TestFailure("no SYN-SENT") }
      }
      let tracer = try Tracer(["-L", "443"], of: pair.namespace)
      try nft("delete table inet t")
      let answer = try pair.client.answer()
      #expect(answer.error == nil)
      #expect(try tracer.finish().isEmpty)
      #expect(tracer.process.errorText.contains(" 0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }

    @Test func remotePort() throws {
      let traffic = try Traffic()
      let rows = try trace(traffic, ["--remote-port", "\(traffic.ports[1])"])
      #expect(rows.transitions == Self.both)
      #expect(Set(rows.map { $0["peer_port"] }) == ["\(traffic.ports[1])"])
    }

    @Test(arguments: [
      ("--peer", "127.0.0.0/8", "ipv4"), ("--peer", "::1", "ipv6"), ("--local", "127.0.0.1", "ipv4"),
      ("--local", "2001:db8::/32,::1/128", "ipv6"),
    ])
    func networks(_ option: String, _ network: String, _ type: String) throws {
      let rows = try trace(Traffic(), [option, network])
      #expect(rows.count == Self.all / 2)
      #expect(Set(rows.map { $0["network_type"] }) == [type])
    }

    @Test func pid() throws {
      let traffic = try Traffic()
      let rows = try trace(traffic, ["--pid", "\(traffic.servers[1].pid),1"])
      #expect(rows.transitions == Life.server + Life.passiveClose)
      #expect(Set(rows.map { $0["process_pid"] }) == ["\(traffic.servers[1].pid)"])
    }

    @Test func process() throws {
      let rows = try trace(Traffic(), ["--process", "nobody,other"])
      #expect(rows.transitions == Life.server + Life.passiveClose)
      #expect(Set(rows.map { $0["process_name"] }) == ["other"])
    }

    @Test(arguments: ["inode", "path", "self", "elsewhere"])
    func netns(_ way: String) throws {
      let traffic = try Traffic()
      let elsewhere = try NetworkNamespace()
      let option =
        switch way {
        case "inode": "\(traffic.namespace.inode)"
        case "path": traffic.namespace.path
        case "self": "self"
        default: elsewhere.path
        }
      let rows = try trace(traffic, ["--netns", option], named: false)
      #expect(rows.count == (way == "inode" || way == "path" ? Self.all : 0))
    }

    /// A cgroup and what is below it; a child inherits its listener's.
    @Test(.enabled(if: Privilege.cgroupMount != nil, "needs a cgroup v2 mount"))
    func cgroup() throws {
      let mount = try #require(Privilege.cgroupMount)
      let path = "\(mount)/tcpstate-test-\(ProcessInfo.processInfo.processIdentifier)"
      let child = "\(path)/below"
      try FileManager.default.createDirectory(atPath: child, withIntermediateDirectories: true)
      defer { for folder in [child, path] { rmdir(folder) } }
      let inside = ["sh", "-c", "echo $$ > \(child)/cgroup.procs && exec \"$0\" \"$@\""]
      let rows: [CSVTable.Row]
      do {
        let traffic = try Traffic(wrapper: inside)
        rows = try trace(traffic, ["--cgroup", path])
        #expect(rows.transitions == Life.server + Life.passiveClose)
        #expect(Set(rows.map { $0["process_pid"] }) == ["\(traffic.servers[0].pid)"])
        var status = stat()
        stat(child, &status)
        #expect(Set(rows.map { $0["cgroup_id"] }) == ["\(status.st_ino)"])
      }
    }

    @Test func state() throws {
      let rows = try trace(Traffic(), ["--state", "CLOSE_WAIT,syn-recv"])
      #expect(
        rows.transitions.sorted()
          == ["listen→syn_received", "syn_received→established", "established→close_wait", "close_wait→last_ack"]
          .flatMap { [$0, $0] }.sorted())
      #expect(
        rows.allSatisfy { $0["state_old"] == "listen" || $0["duration_kind"] == "exact" }, "shown or not, it is tracked"
      )
    }

    @Test func longerThan() throws {
      let pair = try Pair()
      let tracer = try Tracer(["--longer-than", "80ms"], of: pair.namespace)
      try pair.connect()
      Clocks.pass(milliseconds: 100)
      try pair.close(first: pair.client, then: pair.server)
      try pair.server.ask("settle 0")
      try tracer.wait(for: ["established→close_wait": 1])
      let rows = try tracer.finish().withoutTimeWaitEnds
      #expect(rows.transitions == ["established→fin_wait_1", "established→close_wait"])
    }

    @Test func twoTogether() throws {
      let traffic = try Traffic()
      let rows = try trace(traffic, ["-6", "--pid", "\(traffic.client.pid)"])
      #expect(rows.transitions == Self.both)
      #expect(Set(rows.map { $0["network_type"] }) == ["ipv6"])
      #expect(try trace(traffic, ["-4", "-D", "\(traffic.ports[1])"]).isEmpty)
      #expect(
        try trace(traffic, ["-D", "\(traffic.ports[0])", "--state", "time-wait"]).transitions == [
          "fin_wait_2→time_wait"
        ])
    }

    @Test func count() throws {
      let traffic = try Traffic()
      let tracer = try Tracer(["--count", "7"], of: traffic.namespace)
      try traffic.run()
      #expect(try tracer.process.wait(until: Deadline(seconds: 60)) == .exited(0))
      #expect(try tracer.rows().count == 7)
    }

    @Test func forATime() throws {
      let namespace = try NetworkNamespace()
      let begin = Clocks.monotonic()
      let tracer = try Tracer(["--for", "300ms"], of: namespace)
      let traces = Clocks.monotonic()
      #expect(try tracer.process.wait(until: Deadline(seconds: 60)) == .exited(0))
      let end = Clocks.monotonic()
      #expect(end - begin >= 300_000_000, "\(end - begin) ns")
      #expect(end - traces < 3_000_000_000, "\(end - traces) ns")
      #expect(try tracer.rows().isEmpty)
    }
  }
}
