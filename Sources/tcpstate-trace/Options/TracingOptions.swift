// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel

extension KernelSource.Attachment: ExpressibleByArgument {}

/// How the live kernel is traced, and when that ends.
struct TracingOptions: ParsableArguments {
  @Option(
    name: .customLong("for"), help: ArgumentHelp("End after this time: 250ms, 30s, 5m, 2h.", valueName: "duration"))
  var duration: String?

  @Option(help: ArgumentHelp("End after showing this many transitions.", valueName: "n"))
  var count: UInt64?

  @OptionGroup var recordOptions: RecordOptions

  @Flag(help: "Leave out sockets that exist already.")
  var noExisting = false

  @Option(help: ArgumentHelp("Size of the ring buffer, a power of two such as 4M (default 8M).", valueName: "size"))
  var buffer: String?

  @OptionGroup var connections: ConnectionLimitOptions

  @OptionGroup var strictness: StrictOption
  var strict: Bool { strictness.strict }

  @Flag(help: "Print progress and the messages of libbpf and the verifier.")
  var verbose = false

  @Option(help: ArgumentHelp("How to attach: btf or classic (default: the best the kernel has).", valueName: "way"))
  var attach: KernelSource.Attachment?

  struct Limits {
    /// Nanoseconds.
    var duration: UInt64?
    var count: UInt64?
  }

  func limits() throws -> Limits {
    if count == 0 { throw Failure(.usage, "--count: 0 transitions would show nothing; give 1 or more") }
    let nanoseconds = try duration.map { try FilterOptions.duration($0, option: "--for") }
    if nanoseconds == 0 { throw Failure(.usage, "--for: a duration of 0 would show nothing") }
    return Limits(duration: nanoseconds, count: count)
  }

  func configuration(filter: KernelFilter) throws -> KernelSource.Configuration {
    var configuration = KernelSource.Configuration()
    configuration.filter = filter
    configuration.verbose = verbose
    configuration.attachment = attach
    if let buffer { configuration.ringBytes = try Self.ringBytes(buffer) }
    return configuration
  }

  /// The kernel wants a power of two, in whole pages.
  private static func ringBytes(_ text: String) throws -> Int {
    let units: [Character: Int] = ["K": 1024, "M": 1024 * 1024, "G": 1024 * 1024 * 1024]
    var digits = text.uppercased()
    if digits.hasSuffix("IB") { digits.removeLast(2) } else if digits.hasSuffix("B") { digits.removeLast() }
    var unit = 1
    if let last = digits.last, let value = units[last] {
      unit = value
      digits.removeLast()
    }
    guard let number = Int(digits), number > 0, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      case let (bytes, overflow) = number.multipliedReportingOverflow(by: unit), !overflow,
      bytes >= 4096, bytes <= 1 << 30
    else {
      throw Failure(.usage, "--buffer: '\(Message.printable(text))' is not a size from 4K to 1G")
    }
    guard bytes & (bytes - 1) == 0 else {
      let lower = 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)
      throw Failure(
        .usage,
        "--buffer: \(Message.printable(text)) is not a power of two; the nearest are \(size(lower)) and \(size(lower * 2))"
      )
    }
    return bytes
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 30 ? "\(bytes >> 30)G" : bytes >= 1 << 20 ? "\(bytes >> 20)M" : "\(bytes >> 10)K"
  }
}
