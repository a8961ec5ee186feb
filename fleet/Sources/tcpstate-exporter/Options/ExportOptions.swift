// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ExporterMetrics
import TCPStateCore

/// Which series there are, and how many.
struct ExportOptions: ParsableArguments {
  @Flag(
    name: .customLong("collector.stuck"), inversion: .prefixedNo,
    help: "Look for stuck connections, by process and container.")
  var collectsStuck = true

  @Flag(
    name: .customLong("collector.listeners"), inversion: .prefixedNo, help: "Look how full the queues of listeners are."
  )
  var collectsListeners = true

  @Flag(
    name: .customLong("collector.ports"), inversion: .prefixedNo,
    help: "Count the ephemeral ports between each source address and destination.")
  var collectsPorts = true

  @Option(
    name: .customLong("stuck.states"),
    help: ArgumentHelp(
      "States in which a connection can be stuck (default: close-wait,fin-wait-1,fin-wait-2,closing,last-ack).",
      valueName: "list"))
  var stuckStates: String?

  @Option(
    name: .customLong("stuck.older-than"),
    help: ArgumentHelp("How long a stuck connection has been in its state at least.", valueName: "duration"))
  var stuckThreshold = "60s"

  @Option(
    name: .customLong("stuck.max-processes"),
    help: ArgumentHelp("The most processes with stuck connections that have series of their own.", valueName: "n"))
  var processes = 20

  @Option(
    name: .customLong("stuck.max-containers"),
    help: ArgumentHelp("The most containers with stuck connections that have series of their own.", valueName: "n"))
  var containers = 20

  @Option(
    name: .customLong("listeners.max"),
    help: ArgumentHelp("The most listeners that have series of their own.", valueName: "n"))
  var listeners = 200

  @Option(
    name: .customLong("ports.ranks"),
    help: ArgumentHelp(
      "How many pairs of source address and destination are exported, the fullest first.", valueName: "n"))
  var portPairs = 5

  @Flag(name: .customLong("openmetrics.created"), help: "Write when counting began, as _created series of OpenMetrics.")
  var writesCreated = false

  func limits() throws -> ExporterLimits {
    var limits = ExporterLimits()
    (limits.wantsStuck, limits.wantsListeners, limits.wantsPorts) = (collectsStuck, collectsListeners, collectsPorts)
    if let stuckStates { limits.stuckStates = try Self.states(stuckStates) }
    limits.stuckThreshold = try DurationOption.nanoseconds(stuckThreshold, option: "--stuck.older-than")
    limits.processes = try Self.bounded(processes, "--stuck.max-processes", 0...10_000)
    limits.containers = try Self.bounded(containers, "--stuck.max-containers", 0...10_000)
    limits.listeners = try Self.bounded(listeners, "--listeners.max", 0...10_000)
    limits.portPairs = try Self.bounded(portPairs, "--ports.ranks", 0...1000)
    limits.writesCreated = writesCreated
    return limits
  }

  private static func bounded(_ value: Int, _ option: String, _ range: ClosedRange<Int>) throws -> Int {
    guard range.contains(value) else {
      throw Failure(.usage, "\(option): \(value) is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private static func states(_ text: String) throws -> [TCPState] {
    var states: Set<TCPState> = []
    for word in text.split(separator: ",") {
      guard let found = TCPState.states(parsing: word) else {
        throw Failure(.usage, "--stuck.states: '\(word)' is not a state; try close-wait")
      }
      states.formUnion(found)
    }
    guard !states.isEmpty, states.isDisjoint(with: [.closed, .listen, .timeWait]) else {
      throw Failure(
        .usage, "--stuck.states: name states that a connection should leave; closed, listen and time-wait aren't")
    }
    return TCPState.all.filter { states.contains($0) }
  }
}
