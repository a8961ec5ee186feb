// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// How a run ended: what it saw, and what it missed.
struct RunEnding {
  /// Whether the rows came from recordings.
  var isRecorded = false
  /// Transitions that the source has handed on.
  var transitions: UInt64 = 0
  /// Events lost.
  var lost: UInt64 = 0
  /// Transitions whose old state wasn't the tracked one; `nil` for recordings, whose folds know it.
  var unmatched: UInt64?
  /// How often a connection wasn't tracked, or no longer, because of --max-connections.
  var crowdedOut: UInt64 = 0
  /// Kernel records of an unknown version or length.
  var undecodable: UInt64 = 0
  /// Lines of a recording that couldn't be read.
  var leftOut: UInt64 = 0
  /// Recordings that end before their time.
  var cut: UInt64 = 0
  /// Whether this process's own namespaces hide some of what was asked for.
  var isConfined = false
  /// Network namespaces whose tables couldn't be read, although there were sockets of them.
  var unreached = 0
  /// Bytes of output that nobody read.
  var unread = 0
  /// Nanoseconds since the tracer was attached; `nil` for recordings.
  var elapsed: UInt64?
  /// What messages call the recordings.
  var name = ""

  /// Whether everything was seen and nothing contradicted itself.
  var isComplete: Bool {
    lost == 0 && unmatched ?? 0 == 0 && crowdedOut == 0 && undecodable == 0 && leftOut == 0 && cut == 0
      && unread == 0 && !isConfined && unreached == 0
  }

  /// `Incomplete: 1,023 events lost, 2 lines left out.`; `nil` if nothing is missing.
  var missing: String? {
    let counts: [(UInt64, String)] = [
      (lost, "event\(lost == 1 ? "" : "s") lost"), (unmatched ?? 0, "unmatched"),
      (crowdedOut, "not tracked because of --max-connections"), (undecodable, "undecodable"),
      (leftOut, "line\(leftOut == 1 ? "" : "s") left out"),
      (cut, "recording\(cut == 1 ? "" : "s") cut short"),
      (UInt64(unreached), "network namespace\(unreached == 1 ? "" : "s") not read"),
    ]
    var parts = counts.filter { $0.0 > 0 }.map { "\(NumberText.string($0.0)) \($0.1)" }
    if isConfined { parts.append("other namespaces can't be seen from here") }
    return parts.isEmpty ? nil : "Incomplete: \(parts.joined(separator: ", "))."
  }
}
