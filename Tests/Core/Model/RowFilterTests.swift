// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct RowFilterTests {
  /// curl/8123 10.0.0.5:51234 → 93.184.216.34:443, ESTABLISHED → CLOSE-WAIT after 5 s.
  private let row: Transition = {
    var row = SampleTransitions.client()
    row.old = .established
    row.new = .closeWait
    row.stay = Stay(nanoseconds: 5_000_000_000, kind: .exact)
    return row
  }()

  private func filter(_ change: (inout RowFilter) throws -> Void) rethrows -> RowFilter {
    var filter = RowFilter()
    try change(&filter)
    return filter
  }

  @Test func emptyWantsAll() {
    #expect(RowFilter().wants(row) && RowFilter().shows(row))
    #expect(RowFilter().wants(Transition()) && RowFilter().shows(Transition()))
  }

  @Test func family() {
    var mapped = row
    mapped.peer.address = IPAddress(parsing: "::ffff:93.184.216.34")!
    var v6 = row
    v6.local.address = IPAddress(parsing: "2001:db8::1")!
    v6.peer.address = IPAddress(parsing: "2001:db8::2")!
    #expect(filter { $0.family = 4 }.wants(row))
    #expect(filter { $0.family = 4 }.wants(mapped), "v4-mapped counts as IPv4")
    #expect(!filter { $0.family = 4 }.wants(v6))
    #expect(!filter { $0.family = 6 }.wants(row))
    #expect(!filter { $0.family = 6 }.wants(mapped))
    #expect(filter { $0.family = 6 }.wants(v6))
  }

  @Test(arguments: [
    ("443", false, true), ("51234", true, false), ("400-500,51000-52000", true, true), ("1", false, false),
  ])
  func ports(_ list: String, _ local: Bool, _ peer: Bool) throws {
    let set = try PortSet(parsing: list)
    #expect(filter { $0.localPorts = set }.wants(row) == local)
    #expect(filter { $0.peerPorts = set }.wants(row) == peer)
  }

  @Test func networks() {
    let ten = Network(parsing: "10.0.0.0/8")!
    let other = Network(parsing: "2001:db8::/32")!
    #expect(filter { $0.localNetworks = [ten] }.wants(row))
    #expect(filter { $0.localNetworks = [other, ten] }.wants(row), "lists are ORed")
    #expect(!filter { $0.localNetworks = [other] }.wants(row))
    #expect(!filter { $0.peerNetworks = [ten] }.wants(row))
    #expect(filter { $0.peerNetworks = [Network(parsing: "93.184.216.34")!] }.wants(row))
  }

  /// A bare port or network may be either end's.
  @Test func eitherEnd() throws {
    let ends = [("443", "93.184.216.34"), ("51234", "10.0.0.0/8")]
    for (port, network) in ends {
      #expect(try filter { $0.eitherPorts = try PortSet(parsing: port) }.wants(row))
      let its = Network(parsing: network)!, other = Network(parsing: "2001:db8::/32")!
      #expect(filter { $0.eitherNetworks = [its] }.wants(row))
      #expect(filter { $0.eitherNetworks = [other, its] }.wants(row))
    }
    #expect(try !filter { $0.eitherPorts = try PortSet(parsing: "442,51233") }.wants(row))
    #expect(!filter { $0.eitherNetworks = [Network(parsing: "11.0.0.0/8")!] }.wants(row))
  }

  /// A filter with any word that decides about connections doesn't want all of them.
  @Test func isOpen() throws {
    #expect(RowFilter().isOpen)
    #expect(!filter { $0.states = [.lastAck] }.isOpen && !filter { $0.longerThan = 1 }.isOpen)
    #expect(try !filter { $0.eitherPorts = try PortSet(parsing: "1") }.isOpen)
    #expect(!filter { $0.family = 4 }.isOpen && !filter { $0.pids = [1] }.isOpen)
  }

  @Test func pids() {
    var acted = row
    acted.ownerPID = nil
    acted.actorPID = 77
    #expect(filter { $0.pids = [1, 8123] }.wants(row))
    #expect(!filter { $0.pids = [1] }.wants(row))
    #expect(filter { $0.pids = [77] }.wants(acted), "the actor counts too")
    #expect(!filter { $0.pids = [0] }.wants(Transition()), "unknown is no process")
  }

  @Test func processes() {
    var acted = row
    acted.ownerName = ShortName()
    acted.actorName = ShortName("ss")
    #expect(filter { $0.processes = [ShortName("nginx"), ShortName("curl")] }.wants(row))
    #expect(!filter { $0.processes = [ShortName("cur")] }.wants(row))
    #expect(!filter { $0.processes = [ShortName("Curl")] }.wants(row))
    #expect(filter { $0.processes = [ShortName("ss")] }.wants(acted))
  }

  @Test func netns() {
    #expect(filter { $0.netns = 4_026_531_840 }.wants(row))
    #expect(!filter { $0.netns = 1 }.wants(row))
    #expect(!filter { $0.netns = 1 }.wants(Transition()))
  }

  @Test func optionsAreANDed() throws {
    let both = try filter {
      $0.peerPorts = try PortSet(parsing: "443")
      $0.pids = [8123]
    }
    #expect(both.wants(row))
    var other = row
    other.ownerPID = 1
    #expect(!both.wants(other))
    other = row
    other.peer.port = 80
    #expect(!both.wants(other))
  }

  /// States decide which rows are shown, not which connections are wanted: statistics count the rest all the same.
  @Test func states() {
    #expect(filter { $0.states = [.closeWait] }.shows(row))
    #expect(filter { $0.states = [.established] }.shows(row))
    #expect(!filter { $0.states = [.lastAck] }.shows(row))
    #expect(filter { $0.states = [.lastAck, .closeWait] }.shows(row))
    #expect(filter { $0.states = [.lastAck] }.wants(row))
  }

  @Test func longerThan() {
    #expect(filter { $0.longerThan = 5_000_000_000 }.shows(row))
    #expect(!filter { $0.longerThan = 5_000_000_001 }.shows(row))
    #expect(filter { $0.longerThan = 5_000_000_001 }.wants(row))
    var unknown = row
    unknown.stay = nil
    #expect(!filter { $0.longerThan = 1 }.shows(unknown), "an unknown stay may be short")
  }
}
