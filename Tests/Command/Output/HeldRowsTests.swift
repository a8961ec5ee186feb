// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@testable import tcpstate_trace

/// Rows that wait for their local port.
@Suite struct HeldRowsTests {
  private static let start: UInt64 = 1_795_468_323_204_131_000
  private static let millisecond: UInt64 = 1_000_000

  private static func row(
    _ connection: UInt64 = 1, _ new: TCPState = .synSent, port: UInt16 = 0, milliseconds: UInt64 = 0
  ) -> Transition {
    var row = Transition()
    row.connection = connection
    (row.old, row.new) = (new == .synSent ? .closed : .synSent, new)
    row.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: port)
    row.time = start + milliseconds * millisecond
    return row
  }

  /// A reference, because `#expect` doesn't take calls that mutate.
  private final class Held {
    private var rows: HeldRows

    init(_ ports: PortSet?, isEither: Bool = false) {
      var filter = RowFilter()
      if isEither { filter.eitherPorts = ports } else { filter.localPorts = ports }
      rows = HeldRows(filter)
    }

    var isEmpty: Bool { rows.isEmpty }
    func holds(_ row: Transition) -> Bool { rows.holds(row) }
    func release(_ row: Transition) -> Transition? { rows.release(row) }
    func release(_ connection: UInt64, port: UInt16) -> Transition? { rows.release(connection, port: port) }
    func needReading(now: UInt64) -> Bool { rows.needReading(now: now) }
    func dropOlder(than time: UInt64) { rows.dropOlder(than: time) }
  }

  private static func held() throws -> Held { Held(try PortSet(parsing: "443,8000-8100")) }

  private static func time(_ milliseconds: UInt64) -> UInt64 { start + milliseconds * millisecond }

  @Test func onlyAClientsFirstRowWithoutAPortIsHeld() throws {
    let held = try Self.held()
    #expect(!held.holds(Self.row(port: 443)), "its port is known")
    #expect(!held.holds(Self.row(1, .closed)), "it can't be judged later either")
    #expect(held.isEmpty)
    #expect(held.holds(Self.row()))
    #expect(!held.isEmpty)
  }

  /// With ports of either end, the peer's is known already.
  @Test func aPeersPortDecidesForEitherEnd() throws {
    let ports = try PortSet(parsing: "443")
    let held = Held(ports, isEither: true)
    var row = Self.row()
    row.peer.port = 443
    #expect(!held.holds(row))
    row.peer.port = 80
    #expect(held.holds(row))
  }

  @Test func withoutAFilterOfLocalPortsNothingIsHeld() {
    let held = Held(nil)
    #expect(!held.holds(Self.row()))
    #expect(held.isEmpty && !held.needReading(now: .max))
  }

  /// The next row of the connection has the port; the earlier row takes it and is otherwise unchanged.
  @Test func theNextRowReleases() throws {
    let held = try Self.held()
    #expect(held.holds(Self.row(1)))
    #expect(held.holds(Self.row(2, milliseconds: 1)))
    #expect(held.release(Self.row(3, .established, port: 8001)) == nil, "another connection's")
    let released = try #require(held.release(Self.row(1, .established, port: 8000, milliseconds: 5)))
    #expect(released.connection == 1 && released.local.port == 8000 && released.time == Self.time(0))
    #expect(released.old == .closed && released.new == .synSent && released.local.address == Self.row().local.address)
    #expect(held.release(Self.row(1, .established, port: 8000)) == nil, "released once")
    #expect(!held.isEmpty, "the other one still waits")
  }

  /// A connection that ends without ever having had a port releases its row as it was.
  @Test func theEndReleasesWithoutAPort() throws {
    let held = try Self.held()
    #expect(held.holds(Self.row()))
    #expect(try #require(held.release(Self.row(1, .closed))).local.port == 0)
    #expect(held.isEmpty)
  }

  @Test func aReadingReleases() throws {
    let held = try Self.held()
    #expect(held.release(1, port: 443) == nil)
    #expect(held.holds(Self.row()))
    #expect(held.release(2, port: 443) == nil)
    #expect(held.release(1, port: 443)?.local.port == 443)
    #expect(held.isEmpty)
  }

  /// A second row of the same socket that waits replaces the first, which is no longer connecting.
  @Test func theLatestRowOfAConnectionWaits() throws {
    let held = try Self.held()
    #expect(held.holds(Self.row(milliseconds: 0)))
    #expect(held.holds(Self.row(milliseconds: 3)))
    #expect(held.release(1, port: 443)?.time == Self.time(3))
    #expect(held.isEmpty)
  }

  /// Rows older than a reading that it didn't find are dropped; newer ones go on waiting.
  @Test func dropsOlderRows() throws {
    let held = try Self.held()
    for connection in 1...3 as ClosedRange<UInt64> {
      #expect(held.holds(Self.row(connection, milliseconds: connection * 10)))
    }
    held.dropOlder(than: Self.time(20))
    #expect(held.release(1, port: 443) == nil)
    #expect(held.release(2, port: 443) != nil, "as old as the reading")
    #expect(held.release(3, port: 443) != nil)
    held.dropOlder(than: .max)
    #expect(held.isEmpty)
  }

  /// A reading is due once a row has waited 60 ms, so that it is written within 100 ms.
  @Test func patience() throws {
    let held = try Self.held()
    #expect(!held.needReading(now: Self.time(1_000)), "nothing waits")
    #expect(held.holds(Self.row()))
    #expect(!held.needReading(now: Self.time(0)))
    #expect(!held.needReading(now: Self.time(60)))
    #expect(held.needReading(now: Self.time(61)))
  }

  /// Readings are at least 500 ms apart, however many rows wait.
  @Test func readingsAreSeldom() throws {
    let held = try Self.held()
    #expect(held.holds(Self.row()))
    #expect(held.needReading(now: Self.time(100)))
    #expect(held.holds(Self.row(2, milliseconds: 100)))
    for now in [101, 300, 600] as [UInt64] { #expect(!held.needReading(now: Self.time(now))) }
    #expect(held.needReading(now: Self.time(601)))
    held.dropOlder(than: .max)
    #expect(!held.needReading(now: Self.time(5_000)))
  }
}
