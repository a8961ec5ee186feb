// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The fields of a scenario's rows, as text; `-` is unknown.
enum ScenarioRow {
  /// Every field of a row but its states, which each row names.
  static let fields: [String] = [
    "at", "at-kind", "at-error", "sequence", "stay", "source", "role", "closer", "reason", "reset-reason", "id",
    "owner", "owner-kind", "actor", "user",
    "cgroup", "netns", "interface", "local", "peer", "sent", "received", "rtt", "retransmits", "iss", "irs", "una",
    "nxt", "rcv-nxt", "unread", "unacked", "unsent", "receive-shutdown", "fin-call", "send-window", "receive-window",
    "cwnd",
    "ssthresh",
    "congestion-control",
    "rto", "syn-acks", "segments-sent", "segments-received", "address",
  ]

  /// - Parameter start: the wall-clock time of the scenario's zero.
  static func text(_ field: String, of row: Transition, start: UInt64) throws -> String {
    switch field {
    case "at": String(row.time &- start) + "ns"
    case "at-kind": row.timeKind?.name.description ?? "-"
    case "at-error": row.timeErrorNanoseconds.map { "\($0)ns" } ?? "-"
    case "sequence": text(row.sequence)
    case "stay": text(row.stay)
    case "source": row.source.name.description
    case "role": row.role.name.description
    case "closer": row.closer?.name.description ?? "-"
    case "reason": row.reason?.name.description ?? "-"
    case "reset-reason": row.resetReason?.name.description ?? "-"
    case "id": text(id: row.connection)
    case "owner": text(row.ownerPID, row.ownerName)
    case "owner-kind": row.ownerKind?.name.description ?? "-"
    case "actor": text(row.actorPID, row.actorName)
    case "user": text(row.userID)
    case "cgroup": text(row.cgroup)
    case "netns": text(row.netns)
    case "interface": text(row.interface)
    case "local": text(row.local)
    case "peer": text(row.peer)
    default: try counter(field, of: row)
    }
  }

  private static func counter(_ field: String, of row: Transition) throws -> String {
    switch field {
    case "sent": text(row.bytesSent)
    case "received": text(row.bytesReceived)
    case "rtt": text(row.rttMicroseconds)
    case "retransmits": text(row.retransmits)
    case "iss": text(row.initialSendSequence)
    case "irs": text(row.initialReceiveSequence)
    case "una": text(row.sendUnacknowledged)
    case "nxt": text(row.sendNext)
    case "rcv-nxt": text(row.receiveNext)
    case "unread": text(row.unreadBytes)
    case "unacked": text(row.unacknowledgedBytes)
    case "unsent": text(row.unsentBytes)
    case "receive-shutdown": text(row.receiveShutdown)
    case "fin-call": row.finCall?.name.description ?? "-"
    case "send-window": text(row.sendWindowBytes)
    case "receive-window": text(row.receiveWindowBytes)
    case "cwnd": text(row.congestionWindowPackets)
    case "ssthresh": text(row.slowStartThresholdPackets)
    case "congestion-control": row.congestionControl.isEmpty ? "-" : row.congestionControl.description
    case "rto": text(row.rtoMicroseconds)
    case "syn-acks": text(row.synAckRetransmits)
    case "segments-sent": text(row.segmentsSent)
    case "segments-received": text(row.segmentsReceived)
    case "address": row.socketAddress.map { "0x" + String($0, radix: 16) } ?? "-"
    default: throw Scenario.Malformed("no field '\(field)'")
    }
  }

  /// The expected text with its times in nanoseconds, as `text(_:of:start:)` has them.
  static func canonical(_ field: String, _ value: Substring) throws -> String {
    guard ["stay", "at", "at-error"].contains(field), value != "-" else { return String(value) }
    let isLowerBound = value.hasPrefix("≥")
    return (isLowerBound ? "≥" : "") + String(try Scenario.time(isLowerBound ? value.dropFirst() : value)) + "ns"
  }

  private static func text(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "-" }

  private static func text(_ stay: Stay?) -> String {
    stay.map { "\($0.kind == .atLeast ? "≥" : "")\($0.nanoseconds)ns" } ?? "-"
  }

  private static func text(_ pid: UInt32?, _ name: ShortName) -> String {
    pid.map { "\($0)/\(name)" } ?? (name.isEmpty ? "-" : "-/\(name)")
  }

  /// The cookie; `made-up-1` for the first connection of a kernel that has none.
  private static func text(id: UInt64) -> String {
    id >> 63 == 0 ? String(id, radix: 16) : "made-up-\(UInt32(truncatingIfNeeded: id))"
  }

  private static func text(_ endpoint: Endpoint) -> String {
    let address = endpoint.address
    if address.isIPv4 {
      return (0..<4).map { "\(address.v4 >> UInt32(24 - 8 * $0) & 255)" }.joined(separator: ".") + ":\(endpoint.port)"
    }
    return "[" + (0..<8).map { String(address.group($0), radix: 16) }.joined(separator: ":") + "]:\(endpoint.port)"
  }
}
