// SPDX-License-Identifier: Apache-2.0
import CLinux
import ExporterMetrics
import ExporterWeb
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateProgram
import TCPStateReport

/// The tracing thread: takes in transitions, reads the tables now and then, and publishes a page each second.
struct LiveSession: ~Copyable {
  /// Milliseconds between two looks at the ring buffer; it wakes the thread itself when much has piled up.
  private static let tick: Int32 = 200
  /// Nanoseconds between two pages.
  private static let pageInterval: UInt64 = 1_000_000_000

  private var stream: LiveStream
  private var metrics: ExporterMetrics
  private var surveyor: Surveyor
  private var vitals = ExporterVitals()
  private let pages: PublishedPage
  private let server: WebServer
  /// When the next page is due, CLOCK_MONOTONIC.
  private var nextPage: UInt64 = 0

  init(
    _ stream: consuming LiveStream, limits: ExporterLimits, pacer: ReadingPacer, pages: PublishedPage, server: WebServer
  ) {
    self.stream = stream
    self.pages = pages
    self.server = server
    metrics = ExporterMetrics(limits)
    surveyor = Surveyor(limits, pacer: pacer)
    vitals.version = EmbeddedVersion.number
    vitals.commit = EmbeddedVersion.commit
    vitals.swift = EmbeddedVersion.swift
    vitals.libbpf = KernelSource.libbpfVersion
  }

  /// Attaches, and goes on until a signal asks for the end.
  mutating func run() throws {
    vitals.started = KernelClock.monotonic() &+ KernelClock.wallOffset()
    try attach()
    while !Signals.askForEnd {
      try takeIn(.usual)
      for line in try surveyor.readIfDue(&stream, into: &metrics) { Log.line(line) }
      publishIfDue()
      stream.wait(milliseconds: waitingTime)
    }
    try takeIn(.final)
    server.stop()
    Log.line(
      "ended; \(NumberText.string(stream.transitions)) transitions, \(NumberText.string(stream.lost)) lost, "
        + "\(NumberText.string(stream.tracker.unmatched)) unmatched")
  }

  private mutating func attach() throws {
    try Self.start(&stream, &metrics)
    // Without that, only CAP_SYS_ADMIN may install a filter.
    _ = tcpstate_forbid_new_privileges()
    tzset()
    CallFilter.install(.tracing)
    reportNotices()
    if let shortfall = NoticeText.shortfall(stream.source) { Log.line(shortfall) }
    for url in server.urls { Log.line("tracing; metrics at \(url)/metrics") }
  }

  private static func start(_ stream: inout LiveStream, _ metrics: inout ExporterMetrics) throws(KernelError) {
    try stream.start { row, _ in metrics.transitions.receive(row) }
  }

  private mutating func takeIn(_ turn: LiveStream.Turn) throws {
    try Self.takeIn(turn, &stream, &metrics)
    reportNotices()
  }

  private static func takeIn(
    _ turn: LiveStream.Turn, _ stream: inout LiveStream, _ metrics: inout ExporterMetrics
  ) throws(KernelError) {
    try stream.turn(turn) { row, _ in metrics.transitions.receive(row) }
  }

  private mutating func reportNotices() {
    for notice in stream.takeNotices() { Log.line(NoticeText.string(notice)) }
  }

  private var waitingTime: Int32 {
    let now = KernelClock.monotonic()
    var next = nextPage
    if let reading = surveyor.nextReading(stream) { next = min(next, reading) }
    return next <= now ? 0 : Int32(min(UInt64(Self.tick), (next - now) / 1_000_000 + 1))
  }

  private mutating func publishIfDue() {
    let now = KernelClock.monotonic()
    guard now >= nextPage else { return }
    nextPage = now + Self.pageInterval
    for state in TCPState.all { vitals.open[Int(state.number)] = stream.tracker.openCount(state) }
    vitals.lost = stream.lost
    vitals.unmatched = stream.tracker.unmatched
    vitals.readings = stream.readings
    vitals.lastReading = surveyor.last
    let web = server.statistics
    vitals.scrapes = web.scrapes
    vitals.droppedConnections = web.droppedConnections
    vitals.webConnections = web.openConnections
    vitals.isConfigurationCurrent = web.configurationReloadSucceeded
    vitals.cpu = KernelClock.processCPU()
    vitals.memory = ResidentMemory.bytes()
    let page = metrics.page(vitals)
    pages.publish(text: page.text, openMetrics: page.openMetrics)
    vitals.renderDuration = KernelClock.monotonic() - now
  }
}
