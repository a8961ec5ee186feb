// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct TopReadingsTests {
  private static let second: UInt64 = 1_000_000_000

  /// A rate needs two readings, and is what was counted between them.
  @Test func ratesComeFromTwoReadings() {
    var readings = TopReadings()
    #expect(readings.due([1, 2], at: 5 * Self.second, pause: Self.second) == [1, 2])
    readings.take(
      [1: SocketCounters(bytesSent: 1000, bytesReceived: 0)], asked: [1, 2], shown: [1, 2], at: 5 * Self.second)
    #expect(readings.all[1]?.sendingRate == nil && readings.all[1]?.counters.bytesSent == 1000)
    #expect(readings.all[2] == nil)
    #expect(readings.due([1, 2], at: 5 * Self.second + 1, pause: Self.second) == [2])
    readings.take(
      [1: SocketCounters(bytesSent: 4000, bytesReceived: 0)], asked: [1], shown: [1], at: 7 * Self.second)
    #expect(readings.all[1]?.sendingRate == 1500 && readings.all[1]?.receivingRate == 0)
    // A counter that is smaller belongs to another socket, or isn't one.
    readings.take([1: SocketCounters(bytesSent: 1)], asked: [1], shown: [1], at: 8 * Self.second)
    #expect(readings.all[1]?.sendingRate == nil && readings.all[1]?.receivingRate == nil)
  }

  /// What is gone, or no longer on the screen, is forgotten rather than shown as it was.
  @Test func forgetsWhatIsGone() {
    var readings = TopReadings()
    let counters = SocketCounters(bytesSent: 1)
    readings.take([1: counters, 2: counters], asked: [1, 2], shown: [1, 2], at: 1)
    readings.take([1: counters], asked: [1, 2], shown: [1, 2], at: 2)
    #expect(readings.all.keys.sorted() == [1])
    readings.take([:], asked: [], shown: [3], at: 3)
    #expect(readings.all.isEmpty)
  }
}
