// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Everything on the page: the folds, and how they are written.
///
/// Pure: time and everything about this process are parameters. One thread owns it.
package struct ExporterMetrics: ~Copyable {
  package let limits: ExporterLimits
  package var transitions = TransitionMetrics()
  package private(set) var processes: StuckShares
  package private(set) var containers: StuckShares
  package private(set) var listeners: ListenerLoads
  package private(set) var ports: PortShares
  private var containerAges = ContainerAges()
  private var hasReading = false

  package init(_ limits: ExporterLimits) {
    self.limits = limits
    processes = StuckShares(.process, states: limits.stuckStates, limit: limits.processes)
    containers = StuckShares(.container, states: limits.stuckStates, limit: limits.containers)
    listeners = ListenerLoads(limit: limits.listeners)
    ports = PortShares(ranks: limits.portPairs)
  }

  /// Takes a reading of the kernel's tables.
  ///
  /// - Parameters:
  ///   - sockets: in the states that are looked for, however young; and those that no process has accepted.
  ///   - found: all listeners.
  ///   - now: nanoseconds, on a clock that is never set.
  ///   - stayOf: how long a socket has been in its state as far as it was traced.
  ///   - containerOf: the name of the container that a socket belongs to; `nil` if none is known.
  package mutating func take(
    _ sockets: [StuckSocket], listeners found: [StuckListener], now: UInt64, stayOf: (StuckSocket) -> Stay?,
    containerOf: (StuckSocket) -> String?
  ) {
    hasReading = true
    for listener in found { listeners.add(listener) }
    containerAges.begin()
    for socket in sockets {
      if socket.verdict == .unaccepted, let listener = socket.listeners.first {
        listeners.addUnaccepted(at: listener)
      }
      let age = max(socket.age?.nanoseconds ?? 0, stayOf(socket)?.nanoseconds ?? 0)
      guard age >= limits.stuckThreshold, limits.stuckStates.contains(socket.state) else { continue }
      processes.add(socket.state, of: Self.processes(of: socket), age: age)
      guard let container = containerOf(socket) else { continue }
      if containerAges.isSettled(container, seen: age, now: now) {
        containers.add(socket.state, of: [container], age: age)
      }
    }
    containerAges.end()
    processes.finish(now: now)
    containers.finish(now: now)
    listeners.finish(now: now)
  }

  /// Takes a reading of the ephemeral ports.
  ///
  /// - Returns: lines for the log.
  package mutating func take(_ pairs: [PortUse.Pair], now: UInt64) -> [String] { ports.take(pairs, now: now) }

  /// The names of the processes that must act, or that held it last.
  private static func processes(of socket: StuckSocket) -> Set<String> {
    let responsible = socket.responsible
    if !responsible.isEmpty { return Set(responsible.map { Labels.value(of: $0.name) }) }
    if let maker = socket.maker { return [Labels.value(of: maker.name)] }
    return [socket.verdict == .orphan ? Labels.nobody : Labels.unknown]
  }

  /// Writes the page.
  package func page(_ vitals: ExporterVitals) -> (text: [UInt8], openMetrics: [UInt8]) {
    var page = Exposition(created: limits.writesCreated ? vitals.started : nil)
    page.begin(MetricFamilies.connections)
    for state in TransitionMetrics.states {
      page.add(TransitionMetrics.stateLabels[Int(state.number)], vitals.open[Int(state.number)])
    }
    transitions.write(to: &page)
    if hasReading {
      if limits.wantsStuck {
        processes.write(to: &page)
        containers.write(to: &page)
      }
      if limits.wantsListeners { listeners.write(to: &page) }
      if limits.wantsPorts { ports.write(to: &page) }
    }
    vitals.write(to: &page, folded: folded)
    return page.finish()
  }

  private var folded: [(MetricFamily, UInt64)] {
    [
      (MetricFamilies.stuck, processes.top.foldedTotal),
      (MetricFamilies.stuckContainers, containers.top.foldedTotal),
      (MetricFamilies.acceptQueue, listeners.top.foldedTotal),
    ]
  }
}
