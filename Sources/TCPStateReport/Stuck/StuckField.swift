// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of `stuck` in the machine formats, in their order: those of `trace` where the
/// meaning is the same, and its own.
public enum StuckField: Hashable, Sendable {
  case shared(Column)
  case own(Own)

  /// What only `stuck` reports.
  public enum Own: Int, CaseIterable, Sendable {
    case event, state, verdict, fd, holders, cgroupPath, unsentBytes, timeouts, nextTimeout
    case listenerPID, listenerName, listenerAddress, acceptQueue, acceptQueueLimit, requestQueue
    case cause, stateDurationAtMost, windowShut, probes, silence
    case mptcp, mptcpConnection
    case holderState, holderCall, holderWaitChannel, holderIdle, holderCPU, holderThreads, debuggerPID
    case socketCall, socketCallThread
  }
}

extension StuckField: NamedColumn {
  public static let allCases: [StuckField] = [
    .shared(.timestamp), .shared(.timestampUnixNano), .own(.event), .shared(.connectionID), .own(.state),
    .shared(.stateDuration), .shared(.durationKind), .own(.verdict), .shared(.processPID), .shared(.processName),
    .own(.fd), .own(.holders), .shared(.userID), .shared(.cgroupID), .own(.cgroupPath), .shared(.netns),
    .shared(.networkType), .shared(.localAddress), .shared(.localPort), .shared(.peerAddress), .shared(.peerPort),
    .shared(.unreadBytes), .own(.unsentBytes), .shared(.unacknowledgedBytes), .own(.timeouts), .own(.nextTimeout),
    .own(.listenerPID), .own(.listenerName), .own(.listenerAddress), .own(.acceptQueue), .own(.acceptQueueLimit),
    .own(.requestQueue), .own(.cause), .own(.stateDurationAtMost), .own(.windowShut), .own(.probes), .own(.silence),
    .shared(.ownerKind), .own(.mptcp), .own(.mptcpConnection), .shared(.containerID), .shared(.containerName),
    .shared(.podName), .shared(.podNamespace), .shared(.unit), .own(.holderState), .own(.holderCall),
    .own(.holderWaitChannel), .own(.holderIdle), .own(.holderCPU), .own(.holderThreads), .own(.debuggerPID),
    .own(.socketCall), .own(.socketCallThread),
  ]

  public static var defaults: [StuckField] { allCases }

  public var declaration: ColumnDeclaration {
    switch self {
    case .own(let field): Own.declarations[field.rawValue]
    case .shared(.timestamp): Column.timestamp.declaration.with(meaning: "When the kernel's tables were read.")
    case .shared(.stateDuration):
      Column.stateDuration.declaration.with(
        meaning:
          "How long the socket has been in its state; once it has ended, how long it was.")
    case .shared(let column): column.declaration
    }
  }
}

extension StuckField.Own {
  /// By raw value. The state has OpenTelemetry's name, as in `trace`.
  fileprivate static let declarations: [ColumnDeclaration] = [
    ColumnDeclaration(
      "event", .words(StuckEvent.allCases.map(\.rawValue)),
      "Why there is this row: a single reading `found` that the socket is old enough, or is `uncertain` because its age is "
        + "known within bounds only; with `--watch`, it `crossed` the threshold or `ended`."),
    ColumnDeclaration("state", json: Column.stateNew.jsonName, .state, "State that the socket is in."),
    ColumnDeclaration(
      "verdict", .words(Verdict.allCases.map(\.name.description)), "Which process, if any, can end the state."),
    ColumnDeclaration("fd", .integer32, "Descriptor of the socket in the process that owns it."),
    ColumnDeclaration("holders", .holders, "Every process that holds the socket, and by which descriptor."),
    ColumnDeclaration("cgroup_path", .text, "cgroup v2 of the socket, by path."),
    ColumnDeclaration(
      "unsent_bytes", .wideInteger, unit: .bytes, "Payload that the application has written and that is not sent yet."),
    ColumnDeclaration("timeouts", .integer32, "Timeouts in a row that nothing has answered."),
    ColumnDeclaration(
      "next_timeout_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic, "Time until the next timeout."),
    ColumnDeclaration(
      "listener_pid", .integer32, "Process of the listener that the connection waits for, by thread group id."),
    ColumnDeclaration("listener_name", .name, "Name of that process (`comm`)."),
    ColumnDeclaration("listener_address", .endpoint, "Address and port of that listener."),
    ColumnDeclaration(
      "accept_queue", .integer32, unit: .connections, "Connections that wait in the listener's queue for accept()."),
    ColumnDeclaration(
      "accept_queue_limit", .integer32, unit: .connections,
      "Backlog of the listener; the kernel takes one more before the queue is full."),
    ColumnDeclaration(
      "request_queue", .integer32, unit: .requests, "Half-open requests in the listener's queue."),
    ColumnDeclaration(
      "cause", .words(StuckCause.allCases.map(\.name.description)),
      "What the socket waits for, from its queues, windows and timers."),
    ColumnDeclaration(
      "state_duration_at_most_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic,
      "Upper bound of the time that the socket has been in its state."),
    ColumnDeclaration(
      "window_shut_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic,
      "How long this end has been probing a receive window that the peer has shut."),
    ColumnDeclaration("probes", .integer32, "Keepalive or window probes in a row that nothing has answered."),
    ColumnDeclaration(
      "silence_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic,
      "Time since payload last arrived from the peer, or since the handshake if none has."),
    ColumnDeclaration(
      "mptcp", .words(["connection", "subflow"]),
      "What the socket is in MPTCP: the connection that the process holds, or a TCP connection that carries it."),
    ColumnDeclaration(
      "mptcp_connection_id", .text, "Connection id of the MPTCP connection that a subflow carries."),
    ColumnDeclaration(
      "holder_state", .words(HolderActivity.State.allCases.map(\.name.description)),
      "What the process that has to act was doing: the first holder, or else the listener's owner."),
    ColumnDeclaration(
      "holder_call", .text, "System call that its thread is in which ran last."),
    ColumnDeclaration("holder_wait_channel", .text, "Kernel function in which that thread waits."),
    ColumnDeclaration(
      "holder_idle_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic,
      "Lower bound of the time since any of its threads was on a CPU."),
    ColumnDeclaration(
      "holder_cpu_ns", .wideInteger, unit: .nanoseconds,
      "CPU time that it has used since the socket entered its state: 0 if it hasn't run since, else only with `--watch`."
    ),
    ColumnDeclaration("holder_threads", .integer32, "Threads that it has."),
    ColumnDeclaration("debugger_pid", .integer32, "Process that traces it and has stopped it."),
    ColumnDeclaration(
      "socket_call", .text, "System call on the socket's descriptor that a thread of a holder is in."),
    ColumnDeclaration("socket_call_thread_id", .integer32, "That thread."),
  ]
}

/// Why a socket is reported.
public enum StuckEvent: String, CaseIterable, Sendable {
  /// A single reading found it.
  case found
  /// A single reading found it, and it may have been in its state for too long: its age is known within bounds only.
  case uncertain
  /// It has just been in its state for too long.
  case crossed
  /// It has left the state after all; its duration is the whole stay.
  case ended
}
