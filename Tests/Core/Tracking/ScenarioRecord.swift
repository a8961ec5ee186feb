// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore

/// The attributes of a scenario's records: words for flags, `key=value` for fields.
enum ScenarioRecord {
  private static let flags: [Substring: Int32] = [
    "owned": TCPSTATE_FLAG_OWNED, "socket": TCPSTATE_FLAG_HAS_SOCKET, "done": TCPSTATE_FLAG_DONE,
    "dead": TCPSTATE_FLAG_DEAD, "send-shutdown": TCPSTATE_FLAG_SEND_SHUTDOWN,
    "receive-shutdown": TCPSTATE_FLAG_RECEIVE_SHUTDOWN, "linger": TCPSTATE_FLAG_LINGER,
    "has-rto-time": TCPSTATE_FLAG_HAS_RTO_TIME, "has-entry-stamp": TCPSTATE_FLAG_HAS_ENTRY_STAMP,
    "repair": TCPSTATE_FLAG_REPAIR, "no-port": TCPSTATE_FLAG_NO_PORT, "no-route": TCPSTATE_FLAG_NO_ROUTE,
    "reset-sent": TCPSTATE_FLAG_RESET_SENT, "by-tracer": TCPSTATE_FLAG_BY_TRACER,
  ]

  private static let kinds: [Substring: Int32] = [
    "transition": TCPSTATE_KIND_TRANSITION, "socket": TCPSTATE_KIND_SOCKET, "timewait": TCPSTATE_KIND_TIMEWAIT,
    "request": TCPSTATE_KIND_REQUEST, "reset-sent": TCPSTATE_KIND_RESET_SENT, "syn-ack": TCPSTATE_KIND_SYN_ACK,
    "owner": TCPSTATE_KIND_OWNER,
  ]

  static func apply(_ attributes: [Substring], to record: inout tcpstate_snapshot) throws {
    for attribute in attributes {
      let parts = attribute.split(separator: "=", maxSplits: 1)
      if parts.count == 1, let flag = flags[attribute] {
        record.event.flags |= UInt16(flag)
      } else if parts.count == 2 {
        let known = try applyIdentity(parts[0], parts[1], to: &record.event)
        if !known { try applyCounter(parts[0], parts[1], to: &record) }
      } else {
        throw Scenario.Malformed("no flag '\(attribute)'")
      }
    }
  }

  /// - Returns: whether the key is one of these.
  private static func applyIdentity(
    _ key: Substring, _ value: Substring, to event: inout tcpstate_event
  ) throws -> Bool {
    switch key {
    case "kind":
      guard let kind = kinds[value] else { throw Scenario.Malformed("no kind '\(value)'") }
      event.kind = UInt8(kind)
    case "cookie": event.cookie = try Scenario.number(value)
    case "address": event.socket_address = try Scenario.number(value)
    case "local":
      let (address, port) = try endpoint(value)
      EventBuilder.set(address, at: \.local_address, of: &event)
      event.local_port = port
    case "peer":
      let (address, port) = try endpoint(value)
      EventBuilder.set(address, at: \.peer_address, of: &event)
      event.peer_port = port
    case "local-port": event.local_port = try Scenario.number(value)
    case "owner":
      let (pid, name) = try process(value)
      event.owner_pid = pid
      EventBuilder.set(name, at: \.owner_name, of: &event)
    case "owner-kind":
      event.owner_kind = (OwnerKind.allCases.first { $0.name.description == value }?.rawValue ?? 254) + 1
    case "actor":
      let (pid, name) = try process(value)
      event.actor_pid = pid
      EventBuilder.set(name, at: \.actor_name, of: &event)
      event.flags |= UInt16(TCPSTATE_FLAG_OWNED)
    case "congestion-control": EventBuilder.set(ShortName(value), at: \.congestion_control, of: &event)
    case "user": event.user_id = try Scenario.number(value)
    case "netns": event.netns = try Scenario.number(value)
    case "cgroup": event.cgroup_id = try Scenario.number(value)
    case "interface": event.interface_index = try Scenario.number(value)
    case "reset-reason": event.reset_reason = ResetReason(name: value)?.rawValue ?? 0
    case "err": event.error = try Scenario.number(value)
    default: return false
    }
    return true
  }

  private static func applyCounter(
    _ key: Substring, _ value: Substring, to record: inout tcpstate_snapshot
  ) throws {
    switch key {
    case "sent": record.event.bytes_sent = try Scenario.number(value)
    case "retransmitted": record.event.bytes_retransmitted = try Scenario.number(value)
    case "received": record.event.bytes_received = try Scenario.number(value)
    case "acked": record.event.bytes_acknowledged = try Scenario.number(value)
    case "una": record.event.send_unacknowledged = try Scenario.number(value)
    case "nxt":
      record.event.send_next = try Scenario.number(value)
      record.event.write_sequence = record.event.send_next
    case "written": record.event.write_sequence = try Scenario.number(value)
    case "rcv-nxt": record.event.receive_next = try Scenario.number(value)
    case "copied": record.event.copied_sequence = try Scenario.number(value)
    case "send-window": record.event.send_window = try Scenario.number(value)
    case "receive-window": record.event.receive_window = try Scenario.number(value)
    case "cwnd": record.event.congestion_window = try Scenario.number(value)
    case "ssthresh": record.event.slow_start_threshold = try Scenario.number(value)
    case "rtt": record.event.smoothed_rtt_us8 = UInt32(try Scenario.time(value) / 125)
    case "rto": record.event.rto_jiffies = try Scenario.number(value)
    case "retransmits": record.event.retransmits = try Scenario.number(value)
    case "segments-sent": record.event.segments_sent = try Scenario.number(value)
    case "segments-received": record.event.segments_received = try Scenario.number(value)
    case "rto-time": record.event.total_rto_time_ms = UInt32(try Scenario.time(value) / 1_000_000)
    case "linger2": record.event.linger2 = try Scenario.number(value)
    case "jiffies": record.jiffies = try Scenario.number(value)
    case "expires": record.timer_expires = try Scenario.number(value)
    case "last-acked": record.last_acked_jiffies = try Scenario.number(value)
    case "request-age": record.request_age_us = UInt32(try Scenario.time(value) / 1000)
    case "entry-stamp": record.entry_stamp_ms = UInt32(try Scenario.time(value) / 1_000_000)
    case "timeouts": record.syn_ack_timeouts = try Scenario.number(value)
    default: throw Scenario.Malformed("no field '\(key)'")
    }
  }

  /// `10.0.0.5:443` or `[::1]:443`.
  private static func endpoint(_ text: Substring) throws -> (IPAddress, UInt16) {
    guard let colon = text.lastIndex(of: ":") else { throw Scenario.Malformed("'\(text)' has no port") }
    let host = text[..<colon].filter { $0 != "[" && $0 != "]" }
    guard let address = IPAddress(parsing: host) else { throw Scenario.Malformed("no address '\(host)'") }
    return (address, try Scenario.number(text[text.index(after: colon)...]))
  }

  /// `8123/curl`.
  private static func process(_ text: Substring) throws -> (UInt32, ShortName) {
    let parts = text.split(separator: "/", maxSplits: 1)
    guard parts.count == 2 else { throw Scenario.Malformed("'\(text)' is no pid/name") }
    return (try Scenario.number(parts[0]), ShortName(parts[1]))
  }
}
