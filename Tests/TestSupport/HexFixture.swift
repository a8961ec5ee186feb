// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Bytes written as hexadecimal pairs; each line has a comment `# offset field: value`.
public struct HexFixture {
  public let bytes: [UInt8]
  /// By field name: the offset that its comment states, and where its bytes are.
  public let offsets: [String: (claimed: Int, actual: Int)]

  public struct Malformed: Error {
    public let line: String
  }

  /// - Parameter name: a path below the folder `Fixtures` of the test's target.
  public init(_ name: String, testFile: String = #filePath) throws {
    let url = TestFile.url("Fixtures", from: testFile).appendingPathComponent(name)
    var bytes: [UInt8] = []
    var offsets: [String: (claimed: Int, actual: Int)] = [:]
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      let parts = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let pairs = parts[0].split(separator: " ")
      if !pairs.isEmpty {
        guard parts.count == 2,
          let match = parts[1].wholeMatch(of: /\s*(\d+) (\w+): .+/), let claimed = Int(match.1)
        else { throw Malformed(line: String(line)) }
        offsets[String(match.2)] = (claimed, bytes.count)
      }
      for pair in pairs {
        guard pair.count == 2, let byte = UInt8(pair, radix: 16) else { throw Malformed(line: String(line)) }
        bytes.append(byte)
      }
    }
    self.bytes = bytes
    self.offsets = offsets
  }
}
