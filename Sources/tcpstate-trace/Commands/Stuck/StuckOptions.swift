// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateCore
import TCPStateReport

extension StuckGrouping: ExpressibleByArgument {}

/// Whether `--exec` runs for each socket or for each process.
enum ExecUnit: String, ExpressibleByArgument, CaseIterable {
  case socket, process
}

/// What counts as stuck, and when.
struct StuckOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "List sockets that are still in the state after at least this long (default 60s). --longer-than means the same here; elsewhere it is about stays that have ended.",
      valueName: "duration"))
  var olderThan: String?

  @Option(help: "Sum up by process, peer, port (of the service) or container.")
  var by = StuckGrouping.process

  @Option(help: ArgumentHelp("List at most n sockets and n groups (default 20).", valueName: "n"))
  var limit: Int?

  @Flag(help: "List all of them.")
  var all = false

  @Flag(help: "Keep watching: report each socket when it reaches that age, and when it ends.")
  var watch = false

  @Option(
    name: .customLong("for"), help: ArgumentHelp("With --watch: end after this time.", valueName: "duration"))
  var duration: String?

  @Option(
    help: ArgumentHelp(
      "With --watch: run this command with /bin/sh for each such socket, its fields in TCPSTATE_ variables; at most one per second.",
      valueName: "command"))
  var exec: String?

  @Option(
    help: ArgumentHelp(
      "Run --exec once for each socket, or for each process: then when its first socket gets stuck and whenever their number has doubled (TCPSTATE_COUNT).",
      valueName: "unit"))
  var execBy: ExecUnit?

  @Option(
    help: ArgumentHelp(
      "With --read: the moment to look at (default: the end): 2026-11-23T21:12:03Z, 21:12:03, or +90s from the start.",
      valueName: "time"))
  var at: String?

  @Flag(help: "Print the messages of libbpf and the verifier.")
  var verbose = false

  /// What the table shows.
  func view(_ format: OutputFormat, isLive: Bool) throws -> StuckView {
    if all, limit != nil { throw Failure(.usage, "--all and --limit exclude each other") }
    if let limit, limit < 0 { throw Failure(.usage, "--limit: \(limit) is not a number from 0") }
    if format != .table, all || limit != nil || by != .process {
      let option = all ? "--all" : limit != nil ? "--limit" : "--by"
      throw Failure(.usage, "\(option) is about the table; csv and jsonl have a row for each socket")
    }
    return StuckView(
      limit: all ? nil : limit ?? 20, grouping: by, showsCommand: isLive && !watch, showsGrowth: watch,
      listsSockets: !watch)
  }

  /// - Parameter filters: the common ones; `--state` and `--longer-than` mean here what is stuck.
  func query(_ filters: FilterOptions) throws -> StuckQuery {
    if !watch, exec != nil || duration != nil {
      throw Failure(.usage, "\(exec != nil ? "--exec" : "--for") goes with --watch")
    }
    if execBy != nil, exec == nil { throw Failure(.usage, "--exec-by goes with --exec") }
    if olderThan != nil, filters.longerThan != nil {
      throw Failure(.usage, "--older-than and --longer-than mean the same here; give one")
    }
    let rows = try filters.rowFilter()
    var query = StuckQuery(filter: rows)
    if !rows.states.isEmpty { query.states = rows.states }
    if query.states.contains(.closed) {
      throw Failure(.usage, "--state: the kernel's tables have no sockets in CLOSED; trace shows what gets there")
    }
    if let olderThan { query.olderThan = try FilterOptions.duration(olderThan, option: "--older-than") }
    if let longerThan = rows.longerThan { query.olderThan = longerThan }
    // TIME-WAIT lasts a minute: there the number counts, not the age.
    if olderThan == nil, rows.longerThan == nil, query.states == [.timeWait] { query.olderThan = 0 }
    return query
  }
}
