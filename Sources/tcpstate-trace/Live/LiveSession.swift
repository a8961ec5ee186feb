// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateProgram

/// A sink over the live kernel, from attach to the last flush, on one thread.
struct LiveSession<Sink: OutputSink & ~Copyable>: ~Copyable, Activity {
  /// Milliseconds; rows must not be older than 100 when they are seen.
  private static var tick: Int32 { 70 }

  private(set) var stream: LiveStream
  private(set) var sink: Sink
  private var recorder: Recorder?
  private var isWaitingForReader = false
  /// Bytes that nobody read.
  private var unread = 0
  private var status = StatusLine(deadline: nil)
  /// Whether what is written goes to the terminal that has the status line.
  private let sharesTerminal: Bool

  init(_ stream: consuming LiveStream, recorder: consuming Recorder?, sink: consuming Sink) {
    self.stream = stream
    let isRecorded = recorder != nil
    self.recorder = recorder
    self.sink = sink
    sharesTerminal = isatty(self.sink.descriptor) == 1
    self.stream.fillsReadings = isRecorded || self.sink.wantsReadings
  }

  /// Attaches, and hands on the sockets that exist already.
  ///
  /// - Parameters:
  ///   - duration: for how long, in nanoseconds; `nil` until a signal.
  ///   - opening: what to say once everything is attached, if anything.
  mutating func start(_ loop: borrowing EventLoop, for duration: UInt64?, opening: (borrowing LiveStream) -> String?)
    throws
  {
    try stream.start { row, loss in Self.receive(&row, loss, &recorder, &sink) }
    if sink.readsOnly { Confinement.filterTracing() }
    Message.report(stream.takeNotices())
    let wantsExisting = sink.wantsExisting
    stream.forEachOpen { row in
      recorder?.receive(&row, lossBefore: 0)
      if wantsExisting { sink.receive(&row, lossBefore: 0) }
    }
    if let text = opening(stream) {
      Message.line(text)
      if let shortfall = NoticeText.shortfall(stream.source) { Message.line(shortfall) }
    }
    status = StatusLine(deadline: duration.map { stream.attachedAt.saturatingAdding($0) })
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
  }

  @inline(__always)
  private static func receive(_ row: inout Transition, _ loss: UInt64, _ recorder: inout Recorder?, _ sink: inout Sink)
  {
    recorder?.receive(&row, lossBefore: loss)
    sink.receive(&row, lossBefore: loss)
  }

  func timeout() -> Int32 { sink.isBackedUp ? Self.tick : stream.timeout(atMost: Self.tick) }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    // What a reader far behind doesn't take stays in the kernel, and is lost there when it gets too much.
    let turn: LiveStream.Turn = isLast ? .final : sink.isBackedUp ? .heldUp : .usual
    try stream.turn(turn) { row, loss in Self.receive(&row, loss, &recorder, &sink) }
    Message.report(stream.takeNotices())
    try lookForPorts()
    sink.advance(to: now)
    try recorder?.flush()
    if sharesTerminal, sink.waiting > 0 { status.clear() }
    if try sink.flush() {
      loop.watch(sink.descriptor, events: EPOLLOUT.rawValue)
      isWaitingForReader = true
    } else if isWaitingForReader {
      loop.unwatch(sink.descriptor)
      isWaitingForReader = false
    }
    if !isLast { status.show { sink.status(open: stream.openConnections) } }
  }

  mutating func resized() { sink.measureTerminal() }
  mutating func interrupted() { sink.interrupted() }
  var isDone: Bool { sink.isDone }

  /// On the rows' clock.
  private var now: UInt64 { KernelClock.monotonic() &+ stream.tracker.wallOffset }

  /// Rows that wait for a local port get it from the kernel's tables, if need be.
  private mutating func lookForPorts() throws {
    let now = now
    guard sink.waitsForPorts(now: now) else { return }
    try stream.source.readConnecting { snapshot, _ in
      sink.learnPort(snapshot.pointee.event.cookie, snapshot.pointee.event.local_port)
    }
    sink.learnedPorts(at: now)
  }

  /// Writes the rest, waiting for the reader if need be, and hands out the closing text.
  mutating func finish(_ loop: borrowing EventLoop) throws -> (RunEnding, ClosingText) {
    stream.source.detach()
    status.clear()
    let (loss, time) = (stream.takeLossAfterLastRow(), now)
    try recorder?.finish(lossAfter: loss, at: time)
    sink.finish(lossAfter: loss, at: time)
    unread = try loop.drain(to: sink.descriptor) { try sink.flush() ? sink.waiting : 0 }
    if unread > 0 { Message.error(OutputFile.unread(unread)) }
    let ending = RunEnding(
      transitions: stream.transitions, lost: stream.lost, unmatched: stream.tracker.unmatched,
      crowdedOut: stream.tracker.crowdedOut, undecodable: stream.undecodable,
      isConfined: stream.source.isConfined, unreached: stream.unreached.count, unread: unread,
      elapsed: KernelClock.monotonic() - stream.attachedAt)
    return (ending, sink.closing(ending, stream.tracker))
  }
}
