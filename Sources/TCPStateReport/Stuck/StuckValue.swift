// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The value of one field of one socket.
enum StuckValue {
  /// The same as in a column of the rows.
  case field(FieldValue)
  /// Our own text, which needs no quotes.
  case word(String)
  /// Foreign text.
  case text(String)
  /// `name/pid:fd`, separated by spaces; objects in JSON.
  case holders([SocketHolder])

  static let unknown = StuckValue.field(.unknown)

  init(_ number: UInt32?) { self = .field(FieldValue(number)) }
  init(wide number: UInt64?) { self = .field(FieldValue(wide: number)) }

  /// Holders in one cell.
  static func text(of holders: [SocketHolder]) -> String {
    holders.map { holder in
      "\(holder.name)/\(holder.pid)" + (holder.descriptor.map { ":\($0)" } ?? "")
    }.joined(separator: " ")
  }
}

/// Looks up the fields of sockets.
struct StuckValues {
  /// When the tables were read, nanoseconds since the epoch.
  let time: UInt64
  let cgroups: [UInt64: String]
  var event = StuckEvent.found
  private let words = FieldWords()

  init(time: UInt64, cgroups: [UInt64: String], event: StuckEvent) {
    self.time = time
    self.cgroups = cgroups
    self.event = event
  }

  /// Calls `body` with each field of a socket, in order.
  func forEach(_ fields: [StuckField], of socket: StuckSocket, _ body: (StuckField, StuckValue) -> Void) {
    let row = socket.row(at: time)
    for field in fields {
      switch field {
      case .shared(let column): body(field, .field(withUnsafePointer(to: row) { column.field.value(of: $0, words) }))
      case .own(let own): body(field, value(own, of: socket))
      }
    }
  }

  private func value(_ field: StuckField.Own, of socket: StuckSocket) -> StuckValue {
    let listener = socket.listeners.first
    let activity = socket.activity
    return switch field {
    case .event: .word(event.rawValue)
    case .state: .word(socket.state.name(.openTelemetry))
    case .verdict: .word(socket.verdict.name.description)
    case .fd: StuckValue(socket.holders.first?.descriptor)
    case .holders: socket.holders.isEmpty ? .unknown : .holders(socket.holders)
    case .cgroupPath: socket.cgroup.flatMap { cgroups[$0] }.map { .text($0) } ?? .unknown
    case .unsentBytes: StuckValue(wide: socket.unsentBytes)
    case .timeouts: StuckValue(socket.timeouts)
    case .nextTimeout: StuckValue(wide: socket.nextTimeout)
    case .listenerPID: StuckValue(listener?.holders.first?.pid)
    case .listenerName: .field(FieldValue(listener?.holders.first?.name ?? ShortName()))
    case .listenerAddress: listener.map { .word(EndpointText.string($0.local)) } ?? .unknown
    case .acceptQueue: StuckValue(listener?.acceptQueue)
    case .acceptQueueLimit: StuckValue(listener?.acceptQueueLimit)
    case .requestQueue: StuckValue(listener?.requestQueue)
    case .cause: socket.cause.map { .word($0.name.description) } ?? .unknown
    case .stateDurationAtMost: StuckValue(wide: socket.atMost)
    case .windowShut: StuckValue(wide: socket.windowShut)
    case .probes: StuckValue(socket.probes)
    case .silence: StuckValue(wide: socket.silence)
    case .mptcp: mptcp(of: socket)
    case .mptcpConnection: mptcpConnection(of: socket)
    case .holderState: activity.map { .word($0.state.name.description) } ?? .unknown
    case .holderCall: activity?.latest.call.map { .word($0.name) } ?? .unknown
    case .holderWaitChannel: activity?.latest.channel.map { .text($0) } ?? .unknown
    case .holderIdle: StuckValue(wide: activity?.idle)
    case .holderCPU: StuckValue(wide: socket.holderCPU)
    case .holderThreads: StuckValue(activity.flatMap { $0.isComplete ? UInt32(clamping: $0.threadCount) : nil })
    case .debuggerPID: StuckValue(activity?.debugger?.pid)
    case .socketCall: socket.call.map { .word($0.call.name) } ?? .unknown
    case .socketCallThread: StuckValue(socket.call?.call.thread)
    }
  }
}

extension StuckValues {
  private func mptcp(of socket: StuckSocket) -> StuckValue {
    switch socket.mptcp {
    case .connection: .word("connection")
    case .subflow: .word("subflow")
    case nil: .unknown
    }
  }

  private func mptcpConnection(of socket: StuckSocket) -> StuckValue {
    guard case .subflow(let connection?) = socket.mptcp else { return .unknown }
    var row = Transition()
    row.connection = connection
    return .field(withUnsafePointer(to: row) { Column.connectionID.field.value(of: $0, words) })
  }
}

extension StuckSocket {
  /// What it has in common with a transition, for the shared columns.
  fileprivate func row(at time: UInt64) -> Transition {
    var row = Transition()
    row.time = time
    row.connection = connection
    row.stay = age
    row.ownerPID = owner?.pid
    row.ownerName = owner?.name ?? ShortName()
    row.ownerKind = owner?.kind
    (row.userID, row.cgroup, row.netns, row.workload) = (userID, cgroup, netns, workload)
    (row.local, row.peer) = (local, peer)
    row.unreadBytes = unreadBytes.map { UInt32(clamping: $0) }
    row.unacknowledgedBytes = unacknowledgedBytes.map { UInt32(clamping: $0) }
    return row
  }
}
