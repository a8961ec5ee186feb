// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateCore

/// The supply of ports that sockets in TIME-WAIT use up.
@Suite struct TimeWaitGroupTests {
  private static let second: UInt64 = 1_000_000_000

  /// - Parameters:
  ///   - young: how many sockets entered TIME-WAIT during the last ten seconds.
  ///   - old: how many will leave it during the next ten.
  ///   - others: how many are in other states.
  private static func group(
    young: Int = 0, old: Int = 0, others: UInt64 = 0, ports: UInt64?, connected: Bool? = true
  ) -> TimeWaitGroup {
    var group = TimeWaitGroup(netns: 7, local: .none, peer: .none, connected: connected, ports: ports)
    for _ in 0..<young { group.add(age: 9_999_999_999, maker: nil) }
    for _ in 0..<old { group.add(age: 50 * second, maker: nil) }
    group.others = others
    return group
  }

  @Test func rateIsThatOfTenSeconds() {
    var group = Self.group(young: 5, ports: 100)
    #expect(group.perSecond == 0.5)
    group.add(age: 10 * Self.second, maker: nil)
    #expect(group.perSecond == 0.5, "it entered before")
    #expect(group.oldest == 10 * Self.second)
    #expect(group.count == 6 && group.used == 6)
  }

  /// 30 enter and 6 leave in ten seconds, and 54 of 100 ports are left: 54 / 2.4 a second.
  @Test func portsRunOut() {
    let group = Self.group(young: 30, old: 6, others: 10, ports: 100)
    #expect(group.used == 46)
    #expect(group.forecast == .exhausted(after: 22_500_000_000))
  }

  /// Those that leave do so after 60 s, so their last ten seconds begin at 50 s.
  @Test func onlyTheLastTenSecondsLeave() {
    var group = Self.group(young: 30, old: 5, others: 10, ports: 100)
    group.add(age: 50 * Self.second - 1, maker: nil)
    #expect(group.forecast == .exhausted(after: 54 * 10 * Self.second / 25))
  }

  /// More leave than enter at the moment, but the rate is too high in the long run: one in ten seconds is assumed.
  @Test func atLeastOnePortIsTaken() {
    let group = Self.group(young: 20, old: 25, ports: 100)
    #expect(group.forecast == .exhausted(after: 55 * 10 * Self.second))
    #expect(Self.group(young: 20, old: 20, ports: 100).forecast == .exhausted(after: 60 * 10 * Self.second))
  }

  /// At 1 a second 60 are in TIME-WAIT for good, which with 40 others is all of 100 ports, and no more.
  @Test func levelsOffAtTheBound() {
    #expect(Self.group(young: 10, others: 40, ports: 100).forecast == .levelsOff(at: 100))
    #expect(Self.group(young: 10, others: 41, ports: 100).forecast == .exhausted(after: 49 * 10 * Self.second / 10))
    #expect(Self.group(young: 10, others: 40, ports: nil).forecast == .levelsOff(at: 100), "of an unknown range")
  }

  @Test func noPortIsLeft() {
    #expect(Self.group(young: 60, others: 40, ports: 100).forecast == .exhausted(after: 0))
    #expect(Self.group(young: 60, others: 41, ports: 100).forecast == .exhausted(after: 0))
    #expect(Self.group(young: 60, others: 39, ports: 100).forecast == .exhausted(after: 10 * Self.second / 60))
    // Few enter TIME-WAIT, but the others alone occupy all ports.
    #expect(Self.group(old: 1, others: 99, ports: 100).forecast == .exhausted(after: 0))
    #expect(Self.group(old: 1, others: 98, ports: 100).forecast == .levelsOff(at: 98))
  }

  @Test func unknownIsNil() {
    #expect(Self.group(young: 30, ports: 100, connected: false).forecast == nil)
    #expect(Self.group(young: 30, ports: 100, connected: nil).forecast == nil)
    var group = TimeWaitGroup(netns: 7, local: .none, peer: .none, connected: true, ports: 100)
    group.add(age: nil, maker: nil)
    #expect(group.count == 1 && group.forecast == nil && group.perSecond == nil)
  }
}
