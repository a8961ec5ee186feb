// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateCore

/// What bounds the memory of every command that follows live connections.
struct ConnectionLimitOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Track at most n connections, 200 bytes each (default 1,000,000).", valueName: "n"))
  var maxConnections: Int?

  func limit() throws -> Int {
    guard let maxConnections else { return ConnectionTracker.defaultLimit }
    guard (1...100_000_000).contains(maxConnections) else {
      throw Failure(.usage, "--max-connections: \(maxConnections) is not a number from 1 to 100,000,000")
    }
    return maxConnections
  }
}
