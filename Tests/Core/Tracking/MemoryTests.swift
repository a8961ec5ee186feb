// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// Memory per connection: hosts commonly have thousands of sockets in TIME-WAIT.
@Suite struct MemoryTests {
  @Test(arguments: [50_000, 200_000])
  func bytesForEachMinisock(count: Int) {
    var table = ConnectionTable()
    for key in 1...UInt64(count) {
      let connection = table.insert(key)
      connection.pointee.local = Endpoint(address: IPAddress(v4: 0x7f00_0001), port: UInt16(truncatingIfNeeded: key))
      connection.pointee.peer = Endpoint(address: IPAddress(v4: UInt32(truncatingIfNeeded: key >> 16)), port: 80)
      table.setMinisock(connection, true)
    }
    #expect(table.minisockCount == count)
    let each = table.allocatedBytes / count
    #expect(each <= 200, "\(each) bytes, of which \(MemoryLayout<Connection>.stride) are the connection")
  }
}
