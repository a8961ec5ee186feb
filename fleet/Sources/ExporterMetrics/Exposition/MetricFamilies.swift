// SPDX-License-Identifier: Apache-2.0

/// The one table of all families, in the order of the page.
package enum MetricFamilies {
  package static let connections = MetricFamily(
    "tcpstate_connections", .gauge, ["state"],
    help: "TCP sockets that are in the state now, in all network namespaces that can be read.",
    basis: """
      The sockets read at the start, and every transition since. It equals what `ss -tan` counts in each namespace, with \
      half-open requests as `syn_received`. `closed` has no series: what has only been bound isn't seen.
      """)
  package static let transitions = MetricFamily(
    "tcpstate_transitions_total", .counter, ["from", "to"],
    help: "Transitions from one state to another.",
    basis: """
      The kernel's events, and for minisocks and half-open requests its tables. The transitions of RFC 9293 have a series even \
      at zero. A state without a name here counts as `unknown`.
      """)
  package static let stays = MetricFamily(
    "tcpstate_stay_seconds", .histogram, ["state"],
    help: "How long sockets had stayed in a state when they left it.",
    basis: """
      Both ends of each stay, by the kernel's clock. Counts and sums are those of `summary`. A stay of which only a part was \
      seen counts with that part; how many there are is in `tcpstate_stays_at_least_total`.
      """)
  package static let staysAtLeast = MetricFamily(
    "tcpstate_stays_at_least_total", .counter, ["state"],
    help: "Stays in tcpstate_stay_seconds that lasted longer than counted, because their beginning was not seen.",
    basis: "Sockets older than the exporter, and what lost events have touched.")
  package static let handshakes = MetricFamily(
    "tcpstate_handshake_seconds", .histogram, ["role"],
    help: "How long handshakes took that succeeded: from the SYN for a client, from the SYN-ACK for a server.",
    basis: """
      The stay in SYN-SENT of a client and in SYN-RECEIVED of a server that led to ESTABLISHED. A server's is the first \
      round-trip time, or what the kernel says of repeated SYN-ACKs.
      """)
  package static let ends = MetricFamily(
    "tcpstate_connection_ends_total", .counter, ["reason", "role"],
    help: "Connections that ended, by reason and by the role of this end.",
    basis: """
      The column `reason` of the row to TIME-WAIT or CLOSED, each connection once: what becomes of its TIME-WAIT is in \
      `tcpstate_time_wait_ends_total`. `unknown` means that the kernel doesn't say.
      """)
  package static let timeWaitEnds = MetricFamily(
    "tcpstate_time_wait_ends_total", .counter, ["reason"],
    help:
      "How TIME-WAIT ended: fin when its time was up, reused by a new connection, overflow when there were too many.",
    basis: "The column `reason` of the row from TIME-WAIT to CLOSED, which only readings of the kernel's tables show.")
  package static let retransmittedHandshakes = MetricFamily(
    "tcpstate_retransmitted_handshake_segments_total", .counter, ["segment"],
    help: "SYN and SYN-ACK segments sent again, counted when their handshake is over.",
    basis: "The kernel's counts of the socket or the half-open request when it leaves SYN-SENT or SYN-RECEIVED.")

  package static let stuck = MetricFamily(
    "tcpstate_stuck_connections", .gauge, ["process", "state"],
    help: "Connections that have been in the state longer than --stuck.older-than, by the process that must act.",
    basis: """
      A reading of the kernel's tables as `stuck` makes it, with the tracer's knowledge of when each state began. Counts a \
      connection for each process name that holds it; of one in an accept queue, the listener's. `(none)`: no process holds it \
      any more, and the kernel is closing it. `(unknown)`: a process that can't be seen from here. Ages are lower bounds, so \
      one too many is never counted.
      """)
  package static let stuckAge = MetricFamily(
    "tcpstate_stuck_oldest_age_seconds", .gauge, ["process", "state"],
    help: "How long the oldest of these connections has been in the state, at least.",
    basis: "As `tcpstate_stuck_connections`; without one there is no series.")
  package static let stuckContainers = MetricFamily(
    "tcpstate_stuck_container_connections", .gauge, ["container", "state"],
    help: "Connections that have been in the state longer than --stuck.older-than, by container.",
    basis: """
      The cgroup of the socket, which is that of the process that made it. Only where a container is known; none younger than \
      30 s.
      """)
  package static let stuckContainerAge = MetricFamily(
    "tcpstate_stuck_container_oldest_age_seconds", .gauge, ["container", "state"],
    help: "How long the oldest of these connections has been in the state, at least.",
    basis: "As `tcpstate_stuck_container_connections`.")

  package static let acceptQueue = MetricFamily(
    "tcpstate_listener_accept_queue", .gauge, ["process", "port"],
    help: "Connections that wait for accept() at the fullest listener of the process and port.",
    basis:
      "`sk_ack_backlog` of the listener. Of several with SO_REUSEPORT, each with a queue of its own, the fullest counts."
  )
  package static let acceptQueueLimit = MetricFamily(
    "tcpstate_listener_accept_queue_limit", .gauge, ["process", "port"],
    help: "The backlog of that listener; the kernel lets one connection more wait.",
    basis: "`sk_max_ack_backlog`: the argument of listen(), at most net.core.somaxconn.")
  package static let requestQueue = MetricFamily(
    "tcpstate_listener_request_queue", .gauge, ["process", "port"],
    help: "Half-open requests at the listener of the process and port that has most of them.",
    basis: "`icsk_accept_queue.qlen`.")
  package static let requestQueueLimit = MetricFamily(
    "tcpstate_listener_request_queue_limit", .gauge, ["process", "port"],
    help: "The backlog of that listener, which bounds its half-open requests too.",
    basis: "`sk_max_ack_backlog`; SYN cookies go on beyond it.")
  package static let unaccepted = MetricFamily(
    "tcpstate_listener_unaccepted_sockets", .gauge, ["process", "port"],
    help: "Connections that no process has accepted, of all listeners of the process and port.",
    basis:
      "Open sockets in the tables to which no descriptor refers. Looked for only while an accept queue isn't empty.")

  package static let portsUsed = MetricFamily(
    "tcpstate_ephemeral_ports_used", .gauge, ["rank"],
    help: "Ephemeral ports in use between one source address and one destination; rank 1 is the fullest pair.",
    basis: """
      The connections that are open, in TIME-WAIT too, on the side that connected. The log names pairs above 80 %, and \
      `stuck --state time-wait` shows which processes use them.
      """)
  package static let portsAvailable = MetricFamily(
    "tcpstate_ephemeral_ports_available", .gauge, ["rank"],
    help: "Ephemeral ports that connect() may choose from for that pair, in use or not.",
    basis:
      "net.ipv4.ip_local_port_range less ip_local_reserved_ports of the namespace. Ports that bind() took still count.")
  package static let portPairsAbove = MetricFamily(
    "tcpstate_ephemeral_port_pairs_above", .gauge, ["threshold"],
    help: "Pairs of source address and destination that use more than this share of their ephemeral ports.",
    basis: "As `tcpstate_ephemeral_ports_used`, over all pairs.")

  package static let lost = MetricFamily(
    "tcpstate_events_lost_total", .counter,
    help: "Events that the kernel could not hand over. The tables are read again after each loss.",
    basis: "The kernel side's counters of a full ring buffer, and the kernel's own of skipped runs.")
  package static let unmatched = MetricFamily(
    "tcpstate_events_unmatched_total", .counter,
    help: "Transitions whose old state was not the one known before: something was missed.",
    basis: "The tracker.")
  package static let readings = MetricFamily(
    "tcpstate_table_readings_total", .counter,
    help: "Readings of the kernel's tables of sockets.",
    basis: "The tracer's own, for what no event reports, and those for stuck connections and listeners.")

  package static let series = MetricFamily(
    "tcpstate_exporter_series", .gauge, ["family"],
    help: "Series on this page, by family.",
    basis: "Counted as the page is written.")
  package static let folded = MetricFamily(
    "tcpstate_exporter_folded_total", .counter, ["family"],
    help: "Subjects that had no series of their own because of a limit, and were counted as other.",
    basis: "Each time one falls below the limit; one that stays there counts once.")
  package static let renderDuration = MetricFamily(
    "tcpstate_exporter_render_duration_seconds", .gauge,
    help: "How long it took to write the page before this one.",
    basis: "CLOCK_MONOTONIC.")
  package static let lastReading = MetricFamily(
    "tcpstate_exporter_last_reading_timestamp_seconds", .gauge,
    help: "When the tables were last read for stuck connections, listeners and ports, in seconds since the epoch.",
    basis: "Absent before the first. Such readings are further apart where they cost more than --readings.cpu allows.")
  package static let readingDuration = MetricFamily(
    "tcpstate_exporter_reading_duration_seconds", .gauge,
    help: "CPU time of that reading.",
    basis: "CLOCK_PROCESS_CPUTIME_ID; absent before the first.")
  package static let scrapes = MetricFamily(
    "tcpstate_exporter_scrapes_total", .counter, ["code"],
    help: "Requests for /metrics that were answered, by HTTP status.",
    basis: "The web server. A scrape counts in the next page.")
  package static let droppedConnections = MetricFamily(
    "tcpstate_exporter_dropped_connections_total", .counter, ["cause"],
    help: "Connections to the exporter that it ended before they were done.",
    basis: "The web server.")
  package static let webConnections = MetricFamily(
    "tcpstate_exporter_open_connections", .gauge,
    help: "Connections to the exporter that are open.",
    basis: "The web server.")
  package static let configurationReload = MetricFamily(
    "tcpstate_exporter_web_config_last_reload_successful", .gauge,
    help:
      "Whether the newest version of --web.config.file is in use: 1, or 0 if it has errors and the one before goes on.",
    basis: "The web server; 1 without such a file.")
  package static let buildInfo = MetricFamily(
    "tcpstate_exporter_build_info", .gauge, ["version", "commit", "swift", "libbpf"],
    help: "What this exporter is made of; always 1.",
    basis: "As `--version` shows it.")
  package static let cpu = MetricFamily(
    "process_cpu_seconds_total", .counter,
    help: "CPU time of the exporter, user and system.",
    basis: "CLOCK_PROCESS_CPUTIME_ID. What the BPF programs take is the traced processes' time: [costs.md](costs.md).")
  package static let memory = MetricFamily(
    "process_resident_memory_bytes", .gauge,
    help: "Resident memory of the exporter.",
    basis: "/proc/self/statm; the ring buffer is in it as far as it has been touched.")
  package static let startTime = MetricFamily(
    "process_start_time_seconds", .gauge,
    help: "When the exporter started, in seconds since the epoch.",
    basis: "CLOCK_REALTIME.")

  package static let all = [
    connections, transitions, stays, staysAtLeast, handshakes, ends, timeWaitEnds, retransmittedHandshakes,
    stuck, stuckAge, stuckContainers, stuckContainerAge,
    acceptQueue, acceptQueueLimit, requestQueue, requestQueueLimit, unaccepted,
    portsUsed, portsAvailable, portPairsAbove, lost, unmatched, readings,
    folded, renderDuration, lastReading, readingDuration, scrapes,
    droppedConnections, webConnections, configurationReload, buildInfo, cpu, memory, startTime, series,
  ]
}
