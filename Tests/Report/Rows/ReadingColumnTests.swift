// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// What `ConnectionTracker.fillsReadings` leaves out.
@Suite struct ReadingColumnTests {
  /// The command asks for readings only if other columns are shown.
  @Test func defaultsShowNone() {
    var random = SeededGenerator(seed: 3)
    var readings = Set<String>()
    for _ in 0..<20 {
      let full = RandomTransition.make(&random, isFull: true)
      var bare = full
      bare.forgetReadings()
      // Counters that every row has.
      (bare.bytesSent, bare.bytesReceived) = (full.bytesSent, full.bytesReceived)
      (bare.rttMicroseconds, bare.retransmits) = (full.rttMicroseconds, full.retransmits)
      bare.congestionControl = ShortName()
      bare.receiveShutdown = nil
      for column in Column.allCases where Self.cell(column, of: full) != Self.cell(column, of: bare) {
        readings.insert(column.csvName.description)
        #expect(!column.isDefault, "\(column)")
      }
    }
    #expect(readings.count > 10, "else nothing was compared")
  }

  private static func cell(_ column: Column, of row: Transition) -> String {
    var writer = CSVWriter(columns: [column])
    var buffer = ByteBuffer()
    writer.append(row, to: &buffer)
    return buffer.text
  }
}
