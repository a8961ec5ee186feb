// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Connections as one self-contained HTML page, with its style, script and data.
///
/// Connections are written in chunks as they end, so only the open ones take memory.
/// The script comes before the data and draws whatever has arrived by the end of the text,
/// so a page that was cut short opens too.
public struct HTMLReport: ReportDocument, ~Copyable {
  /// Lives per chunk. The page parses the ladders of a chunk when one of its connections is opened.
  private static let chunkSize = 256

  /// Which lives are shown. Losses are counted for all.
  private let selects: (Lifecycle) -> Bool
  /// At most so many ended lives are written; open ones always are.
  private let limit: UInt64
  private let origin: ReportOrigin?
  private var tracker: LifecycleTracker
  var totals = PageTotals()
  private var lanes = ByteBuffer()
  private var steps = ByteBuffer()
  private var chunked = 0
  var writer = PageLives()

  /// - Parameters:
  ///   - limit: the most ended connections on the page; a browser has to hold them all.
  ///   - origin: where it comes from, for the head.
  ///   - selects: whether a life is shown.
  public init(
    limit: UInt64 = 200_000, origin: ReportOrigin? = nil, selects: @escaping (Lifecycle) -> Bool = { _ in true }
  ) {
    self.limit = limit
    self.origin = origin
    self.selects = selects
    tracker = LifecycleTracker(waitsForTimeWait: true, takesFound: true, limit: 1 << 18)
  }

  public var count: UInt64 { totals.lives }

  public mutating func begin(to buffer: inout ByteBuffer) {
    buffer.append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
    buffer.append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ")
    buffer.append("style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n")
    buffer.append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
    buffer.append("<meta name=\"color-scheme\" content=\"light dark\">\n")
    buffer.append("<title>TCP connections</title>\n<style>\n")
    buffer.append(EmbeddedPage.style)
    buffer.append("</style>\n<script>\n")
    buffer.append(EmbeddedPage.script)
    buffer.append("</script>\n</head>\n<body>\n")
    buffer.append(EmbeddedPage.body)
    buffer.append("<script type=\"application/json\" id=\"words\">")
    PageWords.append(to: &buffer)
    buffer.append("</script>\n")
    guard let origin else { return }
    buffer.append("<script type=\"application/json\" id=\"origin\">")
    origin.append(to: &buffer)
    buffer.append("</script>\n")
  }

  public mutating func receive(_ row: Transition, lossBefore: UInt64, to buffer: inout ByteBuffer) {
    totals.note(row, lossBefore: lossBefore)
    writer.base = totals.base
    if row.isLossMarker { return }
    if row.role == .listener || row.new == .listen || (row.old == .listen && row.new == .closed) {
      totals.noteListener(row)
      return
    }
    if row.old != row.new, let before = tracker.state(of: row.connection), before != row.old, before != .closed {
      totals.unmatched += 1
    }
    var over: [Lifecycle] = []
    tracker.apply(row) { over.append($0) }
    for life in over { write(life, to: &buffer) }
  }

  public mutating func finish(to buffer: inout ByteBuffer) {
    var left: [Lifecycle] = []
    tracker.finish { left.append($0) }
    for life in left { write(life, to: &buffer) }
    writeChunk(to: &buffer)
    buffer.append("<script type=\"application/json\" id=\"totals\">")
    totals.append(to: &buffer)
    buffer.append("</script>\n</body>\n</html>\n")
  }

  private mutating func write(_ life: Lifecycle, to buffer: inout ByteBuffer) {
    guard selects(life) else { return }
    totals.note(life)
    if life.isClosed, totals.lives - totals.omitted > limit {
      totals.omitted += 1
      return
    }
    if chunked > 0 {
      lanes.append(",\n")
      steps.append(",\n")
    }
    writer.append(lanesOf: life, to: &lanes)
    writer.append(stepsOf: life, to: &steps)
    chunked += 1
    if chunked == Self.chunkSize { writeChunk(to: &buffer) }
  }

  private mutating func writeChunk(to buffer: inout ByteBuffer) {
    guard chunked > 0 else { return }
    buffer.append("<script type=\"application/json\" class=\"lives\" data-base=\"")
    buffer.append(decimal: totals.base)
    buffer.append("\">[")
    buffer.append(lanes)
    buffer.append("]</script>\n<script type=\"application/json\" class=\"ladders\">[")
    buffer.append(steps)
    buffer.append("]</script>\n")
    lanes.removeAll()
    steps.removeAll()
    chunked = 0
  }
}
