// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Glibc
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateKernel

/// An iterator's records, read from a socket of our own.
@Suite struct SnapshotReaderTests {
  private func record(_ cookie: UInt64) -> [UInt8] {
    var snapshot = tcpstate_snapshot()
    snapshot.event.version = UInt8(TCPSTATE_EVENT_VERSION)
    snapshot.event.kind = UInt8(TCPSTATE_KIND_SOCKET)
    snapshot.event.cookie = cookie
    return withUnsafeBytes(of: snapshot) { Array($0) }
  }

  /// Each read returns one of `chunks`, as an iterator returns what it has.
  private func read(
    _ chunks: [[UInt8]], _ receive: SnapshotReceiver
  ) throws -> UInt64 {
    var ends: (Int32, Int32) = (-1, -1)
    let code = withUnsafeMutableBytes(of: &ends) {
      socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, $0.bindMemory(to: Int32.self).baseAddress)
    }
    try #require(code == 0)
    let reading = FileDescriptor(taking: ends.0)
    for chunk in chunks { try #require(write(ends.1, chunk, chunk.count) == chunk.count) }
    close(ends.1)
    return try SnapshotReader.read(reading, receive)
  }

  private func cookies(_ chunks: [[UInt8]]) throws -> (cookies: [UInt64], undecodable: UInt64) {
    var cookies: [UInt64] = []
    let undecodable = try read(chunks) { record, _ in cookies.append(record.pointee.event.cookie) }
    return (cookies, undecodable)
  }

  @Test func nothing() throws {
    let (seen, undecodable) = try cookies([])
    #expect(seen.isEmpty && undecodable == 0)
  }

  @Test func recordsOfSeveralReads() throws {
    let (seen, undecodable) = try cookies([record(1) + record(2), record(3)])
    #expect(seen == [1, 2, 3] && undecodable == 0)
  }

  /// A read may end anywhere within a record.
  @Test(arguments: [7, 151, 303, 305, 1000])
  func recordsCutByReads(_ length: Int) throws {
    let bytes = (1...4).flatMap { record($0) }
    let chunks = stride(from: 0, to: bytes.count, by: length).map { Array(bytes[$0..<min($0 + length, bytes.count)]) }
    let (seen, undecodable) = try cookies(chunks)
    #expect(seen == [1, 2, 3, 4] && undecodable == 0)
  }

  @Test func undecodableRecordsAreCounted() throws {
    var foreign = record(2)
    foreign[0] = 200
    var event = record(3)
    event[1] = UInt8(TCPSTATE_KIND_TRANSITION)
    var nameless = record(4)
    for index in 16..<24 { nameless[index] = 0 }
    let (seen, undecodable) = try cookies([
      record(1) + foreign + event, nameless + record(5), Array(record(6).prefix(100)),
    ])
    #expect(seen == [1, 5])
    #expect(undecodable == 4)
  }

  /// The whole records that follow one in the same read.
  @Test func whatFollows() throws {
    var following: [[UInt64]] = []
    let chunks = [record(1) + record(2) + Array(record(3).prefix(10)), Array(record(3).dropFirst(10)) + record(4)]
    let undecodable = try read(chunks) { record, others in
      following.append([record.pointee.event.cookie] + others.map(\.event.cookie))
    }
    #expect(following == [[1, 2], [2], [3, 4], [4]] && undecodable == 0)
  }
}
