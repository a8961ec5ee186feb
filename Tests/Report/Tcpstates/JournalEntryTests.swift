// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct JournalEntryTests {
  private func fields(_ row: Transition, namesProcess: Bool = true) throws -> [String: String] {
    try JournalFields.parse(JournalEntry(row, namesProcess: namesProcess).bytes)
  }

  @Test func everyField() throws {
    let row = SampleTransitions.oneConnection.rows[1]
    #expect(
      try fields(row) == [
        "MESSAGE": "curl 10.0.0.5 51234 → 93.184.216.34 443 SYN_SENT → ESTABLISHED",
        "PRIORITY": "5", "SYSLOG_IDENTIFIER": "tcpstates", "OBJECT_PID": "8123", "OBJECT_COMM": "curl",
        "OBJECT_IPV4_SOURCE_ADDRESS": "10.0.0.5", "OBJECT_TCP_SOURCE_PORT": "51234",
        "OBJECT_IPV4_DESTINATION_ADDRESS": "93.184.216.34", "OBJECT_TCP_DESTINATION_PORT": "443",
        "OBJECT_TCP_OLD_STATE": "SYN_SENT", "OBJECT_TCP_NEW_STATE": "ESTABLISHED", "OBJECT_TCP_SPAN_TIME": "12400",
      ])
    #expect(try fields(row, namesProcess: false)["OBJECT_COMM"] == nil)
  }

  @Test func unknownIsAbsent() throws {
    let fields = try fields(SampleTransitions.unknown.rows[0])
    #expect(fields["OBJECT_PID"] == nil && fields["OBJECT_COMM"] == nil && fields["OBJECT_TCP_SPAN_TIME"] == nil)
    #expect(fields["MESSAGE"]?.hasPrefix("- ") == true)
  }

  @Test func ipv6() throws {
    let fields = try fields(SampleTransitions.ipv6.rows[0])
    #expect(fields["OBJECT_IPV6_SOURCE_ADDRESS"] == "::" && fields["OBJECT_IPV6_DESTINATION_ADDRESS"] == "::")
    #expect(fields["OBJECT_TCP_DESTINATION_PORT"] == "0")
  }

  /// A name with a line break can't add a field.
  @Test func hostileName() throws {
    var row = SampleTransitions.oneConnection.rows[1]
    row.ownerName = ShortName("a\nPRIORITY=0")
    let fields = try fields(row)
    #expect(fields["OBJECT_COMM"] == "a\nPRIORITY=0")
    #expect(fields["PRIORITY"] == "5")
    #expect(fields["MESSAGE"]?.hasPrefix("a\nPRIORITY=0 10.0.0.5") == true)
  }
}
