// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// A process that holds sockets in a namespace and acts on them on command.
public final class Peer {
  /// A command's result: its values, and when it began and ended, CLOCK_MONOTONIC.
  public struct Answer {
    public let values: [String: String]
    public var before: UInt64 { UInt64(values["before"] ?? "") ?? 0 }
    public var after: UInt64 { UInt64(values["after"] ?? "") ?? 0 }
    public var port: Int { Int(values["port"] ?? "") ?? 0 }
    public var error: String? { values["error"] }
  }

  public static var python: String {
    access("/usr/bin/python3", X_OK) == 0 ? "/usr/bin/python3" : "python3"
  }

  private let process: ChildProcess
  private var read = 0

  /// - Parameters:
  ///   - script: the agent to run.
  ///   - wrapper: a command that runs it, such as one that joins a cgroup first.
  public init(_ script: String, in namespace: NetworkNamespace, wrapper: [String] = []) throws {
    process = try ChildProcess(namespace.command(wrapper + [Self.python, script]))
    guard try ask("ping").error == nil else { throw TestFailure("the peer doesn't answer") }
  }

  public var pid: Int { Int(process.pid) }

  /// Sends a command and waits until it is done; throws if it failed.
  @discardableResult
  public func ask(_ command: String, seconds: Double = 60) throws -> Answer {
    let answer = try attempt(command, seconds: seconds)
    if let error = answer.error { throw TestFailure("\(command): \(error)") }
    return answer
  }

  /// The same, with a failure reported in the answer.
  public func attempt(_ command: String, seconds: Double = 60) throws -> Answer {
    try start(command)
    return try answer(seconds: seconds)
  }

  /// Sends a command whose answer is read later.
  public func start(_ command: String) throws { try process.write(command + "\n") }

  @discardableResult
  public func answer(seconds: Double = 60) throws -> Answer {
    let start = read
    try process.read(until: Deadline(seconds: seconds), "an answer of the peer") { $0.output[start...].contains(0x0a) }
    guard let end = process.output[start...].firstIndex(of: 0x0a) else { throw TestFailure("no answer") }
    read = end + 1
    let pairs = String(decoding: process.output[start..<end], as: UTF8.self).split(separator: " ").map {
      let parts = $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
    return Answer(values: Dictionary(uniqueKeysWithValues: pairs))
  }
}
