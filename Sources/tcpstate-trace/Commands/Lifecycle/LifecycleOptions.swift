// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateReport

enum LifecycleFormat: String, ExpressibleByArgument, CaseIterable {
  case table, jsonl
}

/// Which lives `lifecycle` draws, and how.
struct LifecycleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only the connection with this id (16 hexadecimal digits).", valueName: "id"))
  var connection: String?

  @OptionGroup var null: NullOption

  @Flag(help: "Print each step as it happens, instead of each connection as it ends.")
  var follow = false

  @Flag(help: "Draw a connection only after its TIME-WAIT, a minute later.")
  var timeWait = false

  @Flag(help: "Show sequence numbers as offsets from the initial ones.")
  var relative = false

  @Option(help: "table or jsonl.")
  var format = LifecycleFormat.table

  @OptionGroup var destination: DestinationOption
  @OptionGroup var look: ColorOption
  @OptionGroup var times: TimeZoneOption

  var output: String? { destination.output }
  var nullText: String? { null.nullText }
  var color: ColorChoice { look.color }
  var utc: Bool { times.utc }

  func connectionID() throws -> UInt64? {
    guard let connection else { return nil }
    guard (1...16).contains(connection.utf8.count), connection.utf8.first != UInt8(ascii: "+"),
      let id = UInt64(connection, radix: 16)
    else {
      throw Failure(
        .usage,
        "--connection: '\(Message.printable(connection))' is not an id of 16 hexadecimal digits, as in the column connection_id"
      )
    }
    return id
  }
}
