// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateCore
import TCPStateReport

/// What `summary` groups by, and how it shows it.
struct SummaryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Group by process, peer, role, cgroup, container, pod, unit, port (the service's), local-port or remote-port, or by two of them.",
      valueName: "list"),
    completion: .list(SummaryKey.allCases.map(\.rawValue)))
  var by: String?

  @Option(
    help: ArgumentHelp("Show the n groups with the most time; the table adds up the others.", valueName: "n"))
  var top = 20

  @Flag(help: "Draw each line's stays by length; a whole histogram if one state is chosen with --state.")
  var histogram = false

  @Flag(
    help: "Draw the state machine of RFC 9293, figure 5, with how often each transition was made, p50 and p99.")
  var diagram = false

  @Flag(help: "Show only why connections ended; also as csv and jsonl.")
  var ends = false

  @Flag(
    help: ArgumentHelp(
      "Count in the kernel, without an event per transition: half the cost, for hosts with very many connections.",
      discussion: "Groups by state only. Quantiles are within 2 % of the truth."))
  var inKernel = false

  @Option(help: "table, csv or jsonl; csv and jsonl have all groups.")
  var format = OutputFormat.table

  @OptionGroup var destination: DestinationOption
  @OptionGroup var csv: CSVOptions
  @OptionGroup var look: ColorOption

  var output: String? { destination.output }
  var noHeader: Bool { csv.noHeader }
  var nullText: String? { csv.null.nullText }
  var color: ColorChoice { look.color }

  /// - Parameter reads: a recording is read, in which `--null` stands for unknown too.
  func validated(reads: Bool) throws -> [SummaryKey] {
    try csv.validate(format, reads: reads)
    if histogram, format != .table { throw Failure(.usage, "--histogram goes with --format table") }
    try validateDiagram()
    if ends, histogram { throw Failure(.usage, "--ends has no stays to draw; leave out --histogram") }
    if top < 1 { throw Failure(.usage, "--top: 0 groups would show nothing; give 1 or more") }
    var keys: [SummaryKey] = []
    for part in by?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      // The state is always one.
      if part == "state" { continue }
      guard let key = SummaryKey(rawValue: part.lowercased().split(separator: "_").joined(separator: "-")) else {
        let names = SummaryKey.allCases.map(\.rawValue).joined(separator: ", ")
        throw Failure(.usage, "--by: '\(Message.printable(String(part)))' is none of state, \(names)")
      }
      if keys.contains(key) { throw Failure(.usage, "--by: \(key.rawValue) is there twice") }
      keys.append(key)
    }
    if keys.count > 2 { throw Failure(.usage, "--by: more than two besides the state; give one or two") }
    return keys
  }

  private func validateDiagram() throws {
    guard diagram else { return }
    if format != .table { throw Failure(.usage, "--diagram goes with --format table") }
    for (isGiven, option) in [(by != nil, "--by"), (histogram, "--histogram"), (ends, "--ends")] where isGiven {
      throw Failure(.usage, "--diagram draws all connections in one figure, it can't go with \(option)")
    }
  }
}
