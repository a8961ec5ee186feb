// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the page says about the tracer and the exporter itself, as of one moment.
package struct ExporterVitals: Sendable {
  /// Sockets in each state, by `TCPState.number`.
  package var open = [UInt64](repeating: 0, count: TCPState.arraySize)
  package var lost: UInt64 = 0
  package var unmatched: UInt64 = 0
  package var readings: UInt64 = 0
  /// Nanoseconds.
  package var renderDuration: UInt64 = 0
  /// Nanoseconds since the epoch, and CPU nanoseconds; `nil` before the first.
  package var lastReading: (time: UInt64, cost: UInt64)?
  /// Requests by HTTP status, those that have a series even at zero among them.
  package var scrapes: [(code: Int, count: UInt64)] = []
  /// Connections to the web server that were dropped, with all causes.
  package var droppedConnections: [(cause: String, count: UInt64)] = []
  /// Connections to the web server that are open.
  package var webConnections = 0
  /// Whether the newest version of the web server's configuration file is in use.
  package var isConfigurationCurrent = true
  /// CPU nanoseconds of this process.
  package var cpu: UInt64 = 0
  /// Bytes; `nil` if they can't be read.
  package var memory: UInt64?
  /// Nanoseconds since the epoch.
  package var started: UInt64 = 0
  package var version = ""
  package var commit = ""
  package var swift = ""
  package var libbpf = ""

  package init() {}

  func write(to page: inout Exposition, folded: [(MetricFamily, UInt64)]) {
    func add(_ family: MetricFamily, _ value: UInt64) {
      page.begin(family)
      page.add(.none, value)
    }
    func add(_ family: MetricFamily, nanoseconds: UInt64) {
      page.begin(family)
      page.add(.none, nanoseconds: nanoseconds)
    }
    add(MetricFamilies.lost, lost)
    add(MetricFamilies.unmatched, unmatched)
    add(MetricFamilies.readings, readings)
    page.begin(MetricFamilies.folded)
    for (family, count) in folded { page.add(Labels(["family": family.name]), count) }
    add(MetricFamilies.renderDuration, nanoseconds: renderDuration)
    if let lastReading {
      add(MetricFamilies.lastReading, nanoseconds: lastReading.time)
      add(MetricFamilies.readingDuration, nanoseconds: lastReading.cost)
    }
    page.begin(MetricFamilies.scrapes)
    for (code, count) in scrapes { page.add(Labels(["code": String(code)]), count) }
    page.begin(MetricFamilies.droppedConnections)
    for (cause, count) in droppedConnections { page.add(Labels(["cause": cause]), count) }
    add(MetricFamilies.webConnections, UInt64(max(0, webConnections)))
    add(MetricFamilies.configurationReload, isConfigurationCurrent ? 1 : 0)
    page.begin(MetricFamilies.buildInfo)
    page.add(Labels(["version": version, "commit": commit, "swift": swift, "libbpf": libbpf]), 1)
    add(MetricFamilies.cpu, nanoseconds: cpu)
    if let memory { add(MetricFamilies.memory, memory) }
    add(MetricFamilies.startTime, nanoseconds: started)
    // Last, because it counts those before it.
    let counts = page.series
    page.begin(MetricFamilies.series)
    for (family, count) in counts { page.add(Labels(["family": family]), count) }
    page.add(Labels(["family": MetricFamilies.series.name]), UInt64(counts.count + 1))
  }
}
