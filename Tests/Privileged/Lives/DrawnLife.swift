// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// A line of `lifecycle --format jsonl`.
struct DrawnLife: Decodable {
  struct End: Decodable {
    var observed: Bool
    var port: UInt16

    enum CodingKeys: String, CodingKey {
      case observed
      case port = "network.local.port"
    }
  }

  struct Step: Decodable {
    var phase: String
    var step: Int?
    var actor: String
    var basis: String
    var flags: [String]?
    var sequence: UInt32?
    var acknowledgement: UInt32?
    var state_client: String?
    var state_server: String?
    var state_new: String?
    var act: String?
    var reason: String?
    var time_unix_nano: String?
    var time_kind: String?
  }

  var client: End
  var server: End
  var steps: [Step]

  static func parse(_ lines: String) throws -> [DrawnLife] {
    try lines.split(separator: "\n").map { try JSONDecoder().decode(DrawnLife.self, from: Data($0.utf8)) }
  }

  /// The packet that a step says was sent.
  func packet(_ step: Step) throws -> Packet? {
    guard let flags = step.flags else { return nil }
    guard let sequence = step.sequence else { throw TestFailure("no sequence number: \(step)") }
    if flags.contains("ACK"), step.acknowledgement == nil { throw TestFailure("no acknowledgement number: \(step)") }
    let bits: [String: UInt8] = ["FIN": 1, "SYN": 2, "RST": 4, "ACK": 16]
    let from = step.actor == "client" ? client.port : server.port
    let to = step.actor == "client" ? server.port : client.port
    return Packet(
      source: from, target: to, sequence: sequence, acknowledgement: step.acknowledgement ?? 0,
      flags: flags.reduce(0) { $0 | (bits[$1] ?? 0) })
  }
}
