// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateCore

/// The supply of ports that sockets in TIME-WAIT use up.
@Suite struct TimeWaitGroupTests {
  private static let second: UInt64 = 1_000_000_000

  private static func supply(_ ports: UInt16, reuse: PortSupply.Reuse = .never) -> PortSupply {
    PortSupply(range: 40_000...39_999 + ports, reuse: reuse)
  }

  private static func socket(_ port: UInt16, age: UInt64?, timestamps: Bool = true) -> StuckSocket {
    var socket = StuckSocket(connection: UInt64(port), state: .timeWait)
    socket.local.port = port
    socket.age = age.map { Stay(nanoseconds: $0, kind: .exact) }
    socket.hasTimestamps = timestamps
    return socket
  }

  /// Each with a port of its own.
  ///
  /// - Parameters:
  ///   - ages: nanoseconds.
  ///   - others: how many are in other states.
  private static func group(
    _ ages: [UInt64?], others: Int = 0, _ supply: PortSupply?, connected: Bool? = true,
    address: IPAddress = .unspecified,
    timestamps: Bool = true
  ) -> TimeWaitGroup {
    var group = TimeWaitGroup(
      netns: 7, local: Endpoint(address: address, port: 0), peer: .none, connected: connected, supply: supply)
    var port: UInt16 = 40_000
    for age in ages {
      group.add(socket(port, age: age, timestamps: timestamps))
      port += 1
    }
    for _ in 0..<others {
      group.addOther(port)
      port += 1
    }
    return group
  }

  /// Evenly spread, the youngest right now.
  private static func steady(_ perSecond: UInt64, seconds: Range<UInt64>) -> [UInt64?] {
    (seconds.lowerBound * perSecond..<seconds.upperBound * perSecond).map { $0 * second / perSecond }
  }

  @Test func rateIsThatOfTenSeconds() {
    let group = Self.group(Self.steady(3, seconds: 0..<20), Self.supply(1000))
    #expect(group.perSecond == 3)
    #expect(group.count == 60 && group.used == 60 && group.ports == 1000)
    #expect(group.oldest == 59 * Self.second / 3)
  }

  /// What began three seconds ago hasn't gone on for ten: the rate isn't divided by those.
  @Test func rateOfAYoungLoad() {
    let young = Self.group(Self.steady(100, seconds: 0..<3), Self.supply(1000)).perSecond ?? 0
    #expect(abs(young - 100) < 0.001)
    // Not even a second: at least so many.
    let burst = (0..<50).map { UInt64($0) * 1_000_000 }
    let young50 = Self.group(burst, Self.supply(1000))
    #expect(young50.perSecond == 50 && young50.forecast == .exhausted(after: 19 * Self.second))
    #expect(!young50.runsOut, "a moment's load isn't trouble yet")
    #expect(Self.group(Self.steady(50, seconds: 0..<3), Self.supply(1000)).runsOut)
    #expect(Self.group([0], Self.supply(1000)).perSecond == 0.1, "one alone shows no rate")
  }

  /// Once the load has ended nothing runs out any more, however fast it was.
  @Test(arguments: [1 as UInt64, 10, 100]) func loadThatEnded(_ rate: UInt64) {
    let going = Self.group(Self.steady(rate, seconds: 0..<20), Self.supply(50))
    let ended = Self.group(Self.steady(rate, seconds: 6..<9), Self.supply(rate == 100 ? 1000 : 50))
    #expect(going.runsOut, "60 s of TIME-WAIT at that rate are more than 50 ports")
    #expect(ended.perSecond == 0 && !ended.runsOut)
    #expect(ended.forecast == .levelsOff(at: 0))
  }

  /// Two seconds are long enough to foresee something, and a pause of five intervals, or a second, ends a load.
  @Test func boundsOfALoad() {
    func ages(_ milliseconds: StrideTo<UInt64>) -> [UInt64?] { milliseconds.map { $0 * 1_000_000 } }
    #expect(Self.group(ages(stride(from: 0, to: 2_001, by: 100)), Self.supply(100)).runsOut)
    #expect(!Self.group(ages(stride(from: 0, to: 2_000, by: 100)), Self.supply(100)).runsOut)
    #expect(Self.group(ages(stride(from: 1_000, to: 3_001, by: 100)), Self.supply(100)).perSecond == 10)
    #expect(Self.group(ages(stride(from: 1_001, to: 3_002, by: 100)), Self.supply(100)).perSecond == 0)
    #expect(Self.group(ages(stride(from: 2_500, to: 6_501, by: 500)), Self.supply(100)).perSecond == 2)
    #expect(Self.group(ages(stride(from: 2_501, to: 6_502, by: 500)), Self.supply(100)).perSecond == 0)
    // The window is ten seconds, and what entered in the ten before shows that the load goes on.
    #expect(Self.group([0, 9_999_999_999], Self.supply(100)).perSecond == 1 / 9.999999999)
    #expect(Self.group([0, 10_000_000_000], Self.supply(100)).perSecond == 0.1)
    #expect(Self.group([0, 0, 19_999_999_999], Self.supply(100)).perSecond == 0.2)
    #expect(Self.group([0, 0, 20_000_000_000], Self.supply(100)).perSecond == 2)
  }

  /// Ports are counted down to the last one.
  @Test func boundsOfAForecast() {
    let ages = Self.steady(3, seconds: 0..<20)
    #expect(Self.group(ages, Self.supply(61)).forecast == .exhausted(after: Self.second / 3))
    #expect(Self.group(ages, Self.supply(60)).forecast == .exhausted(after: 0))
    #expect(Self.group(ages, others: 1, Self.supply(62)).forecast == .exhausted(after: Self.second / 3))
  }

  @Test func portsRunOut() {
    // 3 a second and 10 others: 190 in the long run.
    let ages = Self.steady(3, seconds: 0..<20)
    #expect(Self.group(ages, others: 10, Self.supply(190)).forecast == .levelsOff(at: 190))
    #expect(Self.group(ages, others: 10, Self.supply(189)).forecast == .exhausted(after: 119 * Self.second / 3))
    #expect(Self.group(ages, others: 10, Self.supply(70)).forecast == .exhausted(after: 0))
    #expect(Self.group(ages, others: 10, nil).forecast == .levelsOff(at: 190), "of an unknown range")
    // Some leave meanwhile, and never more than come.
    let leaving = ages + Array(repeating: 55 * Self.second, count: 10)
    #expect(Self.group(leaving, Self.supply(150)).forecast == .exhausted(after: 80 * Self.second / 2))
    let manyLeaving = ages + Array(repeating: 55 * Self.second, count: 40)
    #expect(Self.group(manyLeaving, Self.supply(150)).forecast == .exhausted(after: 50 * 10 * Self.second))
  }

  /// What others have doesn't count: reserved ports, and those that bind() has taken.
  @Test func portsThatConnectPassesOver() {
    let reserved = PortSupply(range: 40_000...40_009, reserved: PortSupply.ports("39000-40001, 40005,50000"))
    #expect(reserved.count == 7)
    let supply = reserved.without([40_006, 40_001, 1])
    #expect(supply.count == 6, "one is reserved anyway, and one out of range")
    var group = TimeWaitGroup(netns: 7, local: .none, peer: .none, connected: true, supply: supply)
    for port in [40_002, 40_003, 40_004, 40_007, 40_008] as [UInt16] {
      group.add(Self.socket(port, age: 30 * Self.second))
    }
    #expect(group.used == 5 && group.ports == 6 && !group.runsOut)
    group.addOther(40_009)
    #expect(group.forecast == .exhausted(after: 0))
    // A port by bind() between these ends is in use by them, and no longer available.
    group.addOther(40_006)
    #expect(group.used == 7 && group.ports == 7 && group.forecast == .exhausted(after: 0))
    #expect(PortSupply(range: 1...9, reserved: [1...9]).count == 0)
    let none = Self.group([], others: 0, PortSupply(range: 1...9, reserved: [1...9]))
    #expect(none.forecast == .exhausted(after: 0))
    #expect(PortSupply.ports("").isEmpty && PortSupply.ports("a,9-1,3-x,7").map(\.lowerBound) == [7])
  }

  /// Where connect() may take over a port, it runs out only of those of the last seconds.
  @Test func reuse() {
    let loopback = IPAddress(v4: 0x7f00_0001), other = IPAddress(v4: 0x0a00_0001)
    let ages = Self.steady(3, seconds: 0..<20)
    let reused = Self.group(ages, Self.supply(60, reuse: .always), address: other)
    #expect(reused.forecast == .levelsOff(at: 6) && reused.reusedAfter == 2 * Self.second)
    #expect(reused.used == 60, "they are in use all the same")
    #expect(!Self.group(ages, Self.supply(60, reuse: .loopback), address: loopback).runsOut)
    #expect(Self.group(ages, Self.supply(60, reuse: .loopback), address: other).runsOut)
    #expect(Self.group(ages, Self.supply(60, reuse: .never), address: loopback).runsOut)
    #expect(Self.group(ages, Self.supply(60, reuse: .always), address: other, timestamps: false).runsOut)
    // Faster than ports are given back: 6 are younger than that.
    #expect(Self.group(ages, Self.supply(5, reuse: .always)).forecast == .exhausted(after: 0))
    let unknown = Self.group(Array(repeating: nil, count: 60), Self.supply(60, reuse: .always))
    #expect(unknown.forecast == .exhausted(after: 0), "of unknown age")
  }

  @Test func unknownIsNil() {
    let ages = Self.steady(3, seconds: 0..<20)
    #expect(Self.group(ages, Self.supply(10), connected: false).forecast == nil)
    #expect(Self.group(ages, Self.supply(10), connected: nil).forecast == nil)
    let group = Self.group([nil], Self.supply(100))
    #expect(group.count == 1 && group.forecast == nil && group.perSecond == nil)
  }
}
