// SPDX-License-Identifier: Apache-2.0
import TCPStateReport
import TestSupport
import Testing

@Suite struct ByteBufferTests {
  @Test func decimals() {
    var random = SeededGenerator(seed: 3)
    var buffer = ByteBuffer(capacity: 0)
    var numbers: [UInt64] = [0, .max]
    var power: UInt64 = 1
    for _ in 0..<19 {
      numbers += [power - 1, power, power + 1]
      power *= 10
    }
    for _ in 0..<10_000 { numbers.append(random.next() >> (random.next() & 63)) }
    for number in numbers {
      buffer.removeAll()
      buffer.append(decimal: number)
      #expect(buffer.text == String(number))
      buffer.removeAll()
      buffer.append(hex16: number)
      let hex = String(number, radix: 16)
      #expect(buffer.text == String(repeating: "0", count: 16 - hex.count) + hex)
    }
  }

  @Test func growsAndShrinksFromTheFront() {
    var buffer = ByteBuffer(capacity: 1)
    var expected = ""
    for index in 0..<1_000 {
      buffer.append("row \(index)\n" as String)
      expected += "row \(index)\n"
      if index % 7 == 0 {
        buffer.removeFirst(5)
        expected.removeFirst(5)
      }
    }
    #expect(buffer.text == expected)
    #expect(buffer.count == expected.utf8.count)
    buffer.removeFirst(buffer.count + 1)
    #expect(buffer.count == 0)
    buffer.append(spaces: -1)
    buffer.append(spaces: 2)
    #expect(buffer.text == "  ")
  }
}
