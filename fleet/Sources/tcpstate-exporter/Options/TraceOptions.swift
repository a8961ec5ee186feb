// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ExporterMetrics
import TCPStateCore
import TCPStateKernel
import TCPStateLive

extension KernelSource.Attachment: @retroactive ExpressibleByArgument {}

/// How the kernel is traced, and what that may cost.
struct TraceOptions: ParsableArguments {
  @Option(
    name: .customLong("readings.interval"),
    help: ArgumentHelp(
      "How often the tables are read for stuck connections, listeners and ports, at most.", valueName: "duration"))
  var interval = "5s"

  @Option(
    name: .customLong("readings.cpu"),
    help: ArgumentHelp("The share of one CPU that these readings may take, in percent.", valueName: "percent"))
  var share = 1.0

  @Option(
    name: .customLong("trace.max-connections"),
    help: ArgumentHelp("Track at most n connections, 200 bytes each.", valueName: "n"))
  var connections = ConnectionTracker.defaultLimit

  @Option(
    name: .customLong("trace.buffer-mib"),
    help: ArgumentHelp("Size of the ring buffer in MiB, a power of two.", valueName: "n"))
  var bufferMiB = 8

  @Option(
    name: .customLong("trace.netns"),
    help: ArgumentHelp("Only this network namespace: self, or a path such as /run/netns/x.", valueName: "netns"))
  var netns: String?

  @Option(
    name: .customLong("trace.attach"),
    help: ArgumentHelp("How to attach: btf or classic (default: the best the kernel has).", valueName: "way"))
  var attachment: KernelSource.Attachment?

  @Flag(name: .customLong("trace.verbose"), help: "Print the messages of libbpf and the verifier.")
  var verbose = false

  func configuration() throws -> LiveConfiguration {
    var configuration = LiveConfiguration()
    guard (1...100_000_000).contains(connections) else {
      throw Failure(.usage, "--trace.max-connections: \(connections) is not a number from 1 to 100000000")
    }
    guard (1...1024).contains(bufferMiB), bufferMiB & (bufferMiB - 1) == 0 else {
      throw Failure(.usage, "--trace.buffer-mib: \(bufferMiB) is not a power of two from 1 to 1024")
    }
    configuration.connectionLimit = connections
    configuration.kernel.ringBytes = bufferMiB << 20
    configuration.kernel.attachment = attachment
    configuration.kernel.verbose = verbose
    if let netns {
      configuration.kernel.filter.netns = try Self.inode(netns)
      if netns != "self" { configuration.kernel.filter.netnsPath = netns }
    }
    return configuration
  }

  private static func inode(_ text: String) throws -> UInt32 {
    guard let inode = text == "self" ? NetworkNamespaces.own : NetworkNamespaces.inode(of: text),
      text == "self" || NetworkNamespaces.isNamespace(text)
    else {
      throw Failure(
        .usage, "--trace.netns: '\(text)' is no network namespace; name self or a path such as /run/netns/x")
    }
    return inode
  }

  func pacer() throws -> ReadingPacer {
    let interval = try DurationOption.nanoseconds(interval, option: "--readings.interval")
    guard interval >= 1_000_000_000 else {
      throw Failure(.usage, "--readings.interval: \(self.interval) is less than the second between two pages")
    }
    guard share > 0, share <= 100 else {
      throw Failure(.usage, "--readings.cpu: \(share) is not a share from above 0 to 100 percent")
    }
    return ReadingPacer(interval: interval, share: share / 100)
  }
}
