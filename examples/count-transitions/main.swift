// SPDX-License-Identifier: Apache-2.0

// Counts the TCP transitions of this machine per new state, for ten seconds:
//
//     sudo .build/debug/example-count-transitions

import TCPStateCore
import TCPStateLive

do {
  var counts: [String: UInt64] = [:]
  var stream = try LiveStream(LiveConfiguration())
  try stream.start { row, _ in counts[row.new.name(.rfc), default: 0] += 1 }
  try stream.run(for: .seconds(10)) { row, _ in
    if !row.isFound { counts[row.new.name(.rfc), default: 0] += 1 }
  }
  for (state, count) in counts.sorted(by: { $0.value > $1.value }) { print(count, state) }
  print(stream.lost, "lost")
} catch {
  print(error)
}
