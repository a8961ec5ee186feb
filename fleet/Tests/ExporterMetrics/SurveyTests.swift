// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import TCPStateCore
import Testing

/// What readings of the kernel's tables give.
@Suite struct SurveyTests {
  private func reading(
    _ sockets: [StuckSocket], listeners: [StuckListener] = [], limits: ExporterLimits = ExporterLimits(),
    stays: [UInt64: UInt64] = [:], containers: [UInt64: String] = [:]
  ) -> Samples {
    var metrics = ExporterMetrics(limits)
    metrics.take(
      sockets, listeners: listeners, now: 1000 * second,
      stayOf: { socket in stays[socket.connection].map { Stay(nanoseconds: $0, kind: .exact) } },
      containerOf: { $0.cgroup.flatMap { containers[$0] } })
    return metrics.samples()
  }

  @Test func stuckByProcess() {
    let samples = reading([
      StuckSocket(1, age: 70 * second, processes: ["nginx"]),
      StuckSocket(2, age: 90 * second, processes: ["nginx", "nginx", "helper"]),
      StuckSocket(3, age: 59 * second, processes: ["nginx"]),
      StuckSocket(4, .finWait1, age: 61 * second, processes: [], verdict: .orphan),
      StuckSocket(5, .established, age: 900 * second, processes: ["nginx"]),
      StuckSocket(6, age: nil, processes: ["nginx"]),
      StuckSocket(7, age: 61 * second, processes: [], verdict: .unseen),
    ])
    #expect(samples["tcpstate_stuck_connections{process=\"nginx\",state=\"close_wait\"}"] == "2")
    #expect(samples["tcpstate_stuck_connections{process=\"helper\",state=\"close_wait\"}"] == "1")
    #expect(samples["tcpstate_stuck_connections{process=\"(none)\",state=\"fin_wait_1\"}"] == "1")
    #expect(samples["tcpstate_stuck_connections{process=\"(unknown)\",state=\"close_wait\"}"] == "1")
    #expect(samples["tcpstate_stuck_connections{process=\"nginx\",state=\"last_ack\"}"] == "0")
    #expect(samples["tcpstate_stuck_connections{process=\"other\",state=\"close_wait\"}"] == "0")
    #expect(samples["tcpstate_stuck_oldest_age_seconds{process=\"nginx\",state=\"close_wait\"}"] == "90.000000000")
    #expect(samples["tcpstate_stuck_oldest_age_seconds{process=\"nginx\",state=\"last_ack\"}"] == nil)
    #expect(
      !samples.text.contains("established\",process") && !samples.text.contains("process=\"nginx\",state=\"established")
    )
  }

  /// The tracer saw when the state began; the tables alone don't say.
  @Test func whatWasTracedHasItsAge() {
    let samples = reading(
      [StuckSocket(1, age: nil, processes: ["a"]), StuckSocket(2, age: 10, processes: ["a"])],
      stays: [1: 60 * second, 2: 300 * second])
    #expect(samples["tcpstate_stuck_connections{process=\"a\",state=\"close_wait\"}"] == "2")
    #expect(samples["tcpstate_stuck_oldest_age_seconds{process=\"a\",state=\"close_wait\"}"] == "300.000000000")
  }

  @Test func stuckByContainer() {
    var limits = ExporterLimits()
    limits.stuckThreshold = 10 * second
    let sockets = [
      StuckSocket(1, age: 40 * second, processes: ["a"], cgroup: 7),
      StuckSocket(2, age: 11 * second, processes: ["a"], cgroup: 7),
      StuckSocket(3, age: 11 * second, processes: ["b"], cgroup: 8),
      StuckSocket(4, age: 99 * second, processes: ["c"], cgroup: 9),
    ]
    let samples = reading(sockets, limits: limits, containers: [7: "web", 8: "young"])
    #expect(samples["tcpstate_stuck_container_connections{container=\"web\",state=\"close_wait\"}"] == "2")
    #expect(
      samples["tcpstate_stuck_container_oldest_age_seconds{container=\"web\",state=\"close_wait\"}"] == "40.000000000")
    // Younger than 30 s as far as is known; and one without a container.
    #expect(
      samples.series(of: "tcpstate_stuck_container_connections").allSatisfy {
        $0.contains("web") || $0.contains("other")
      })
  }

  /// A container that is seen for 30 s gets its series, however young its connections are.
  @Test func aContainerComesOfAge() {
    var limits = ExporterLimits()
    limits.stuckThreshold = second
    var metrics = ExporterMetrics(limits)
    func take(_ now: UInt64) {
      metrics.take(
        [StuckSocket(1, age: 2 * second, processes: ["a"], cgroup: 7)], listeners: [], now: now * second,
        stayOf: { _ in nil }, containerOf: { _ in "web" })
    }
    take(1000)
    take(1027)
    #expect(metrics.containers.top.members.isEmpty)
    take(1028)
    #expect(metrics.containers.top.members == ["web"])
  }

  @Test func listeners() {
    let waiting = StuckListener("api", port: 80, accept: 3, limit: 4, requests: 1)
    var socket = StuckSocket(1, .established, age: 1, processes: [], verdict: .unaccepted)
    socket.listeners = [waiting]
    let samples = reading(
      [socket],
      listeners: [
        StuckListener("api", port: 80, accept: 4, limit: 128), waiting,
        StuckListener("db", port: 53, accept: 0, limit: 9),
      ])
    // The fuller one of two that share the port, not the longer queue.
    #expect(samples["tcpstate_listener_accept_queue{process=\"api\",port=\"80\"}"] == "3")
    #expect(samples["tcpstate_listener_accept_queue_limit{process=\"api\",port=\"80\"}"] == "4")
    #expect(samples["tcpstate_listener_request_queue{process=\"api\",port=\"80\"}"] == "1")
    #expect(samples["tcpstate_listener_unaccepted_sockets{process=\"api\",port=\"80\"}"] == "1")
    #expect(samples["tcpstate_listener_accept_queue_limit{process=\"db\",port=\"53\"}"] == "9")
    #expect(samples.series(of: "tcpstate_listener_accept_queue").count == 2)
  }

  @Test func moreListenersThanSeries() {
    var limits = ExporterLimits()
    limits.listeners = 2
    let samples = reading(
      [],
      listeners: [
        StuckListener("a", port: 1, accept: 0, limit: 128), StuckListener("b", port: 2, accept: 64, limit: 128),
        StuckListener("c", port: 3, accept: 128, limit: 128), StuckListener("d", port: 4, accept: 1, limit: 10),
      ], limits: limits)
    #expect(
      samples.series(of: "tcpstate_listener_accept_queue") == [
        "tcpstate_listener_accept_queue{process=\"b\",port=\"2\"}",
        "tcpstate_listener_accept_queue{process=\"c\",port=\"3\"}",
        "tcpstate_listener_accept_queue{process=\"other\",port=\"other\"}",
      ])
    #expect(samples["tcpstate_listener_accept_queue_limit{process=\"other\",port=\"other\"}"] == "10")
    #expect(samples["tcpstate_exporter_folded_total{family=\"tcpstate_listener_accept_queue\"}"] == "2")
  }

  /// The page stays bounded, whatever processes there are and whatever they call themselves.
  @Test func fiveThousandProcesses() {
    let sockets = (1...5000 as ClosedRange<UInt64>).map {
      StuckSocket($0, age: 100 * second, processes: ["p\($0)\u{1b}[2J\"\\\n"], cgroup: $0)
    }
    let listeners = (1...5000 as ClosedRange<UInt16>).map { StuckListener("l\($0)", port: $0, accept: 0, limit: 1) }
    let containers = Dictionary(uniqueKeysWithValues: (1...5000 as ClosedRange<UInt64>).map { ($0, "c\($0)") })
    let samples = reading(sockets, listeners: listeners, containers: containers)
    #expect(samples.series(of: "tcpstate_stuck_connections").count == 21 * 5)
    #expect(samples.series(of: "tcpstate_stuck_container_connections").count == 21 * 5)
    #expect(samples.series(of: "tcpstate_listener_accept_queue").count == 201)
    #expect(samples["tcpstate_stuck_connections{process=\"other\",state=\"close_wait\"}"] == "4980")
    #expect(samples.values.count < 2500 && samples.text.utf8.count < 250_000)
    #expect(!samples.text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    #expect(samples.text.contains("\\\\x1b[2J"))
  }

  @Test func whatIsNotCollectedHasNoSeries() {
    var limits = ExporterLimits()
    (limits.wantsStuck, limits.wantsListeners, limits.wantsPorts) = (false, false, false)
    let samples = reading([StuckSocket(1, age: 99 * second, processes: ["a"])], limits: limits)
    for family in MetricFamilies.all where family.name.contains(/_(stuck|listener|ephemeral)_/) {
      #expect(!samples.text.contains("# TYPE \(family.name) "))
    }
  }
}
