// SPDX-License-Identifier: Apache-2.0

// Prints the longest stay in each state of a recording (csv, jsonl, or tcpstates' output) from standard input:
//
//     tcpstate-trace --format csv | head -n 1000 | .build/debug/example-read-recording

import Glibc
import TCPStateCore
import TCPStateReport

var longest: [TCPState: Transition] = [:]
var reader = TransitionReader()
var row = Transition()
do {
  reading: while true {
    switch try reader.next(&row) {
    case .row:
      guard let stay = row.stay else { continue }
      if stay.nanoseconds > longest[row.old]?.stay?.nanoseconds ?? 0 { longest[row.old] = row }
    case .needsBytes:
      _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in read(0, room.baseAddress, room.count) }
    case .end: break reading
    }
  }
  for (state, row) in longest.sorted(by: { $0.key.number < $1.key.number }) {
    guard let stay = row.stay else { continue }
    print(state.name(.rfc), DurationText.string(stay.nanoseconds), "connection", String(row.connection, radix: 16))
  }
} catch {
  print("line \(error.line): \(error.what)")
}
