// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateKernel
import TCPStateLive

/// Reads one connection's holders and windows from the kernel's tables.
enum DetailReader {
  /// - Parameter facts: of the connection, as the tracker has them.
  /// - Returns: `nil` when it isn't there any more.
  static func read(_ stream: borrowing LiveStream, _ facts: Transition) throws -> TopDetail? {
    var filter = RowFilter()
    filter.netns = facts.netns
    var query = StuckQuery(states: [facts.new], olderThan: 0, filter: filter)
    query.connection = facts.connection
    var flow = Transition()
    let reading = try StuckReader.read(
      stream.source, query, stream.tracker.workloads ?? WorkloadResolver(), idOf: { stream.tracker.id(of: $0) },
      makerOf: { stream.tracker.owner(of: $0) },
      look: { snapshot in
        let key = withUnsafePointer(to: snapshot.pointee.event) { ConnectionTracker.key($0) }
        guard stream.tracker.id(of: key) == facts.connection else { return }
        flow = Transition(flowOf: snapshot, ticksPerSecond: stream.source.ticksPerSecond) ?? flow
      })
    guard !reading.sockets.isEmpty else { return nil }
    var sockets = Array(reading.sockets.prefix(1))
    var processes = ProcessReader()
    processes.describe(&sockets)
    return TopDetail(time: KernelClock.monotonic() &+ stream.tracker.wallOffset, socket: sockets[0], flow: flow)
  }
}
