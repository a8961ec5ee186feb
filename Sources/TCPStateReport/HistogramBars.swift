import TCPStateCore

/// Durations drawn: a bar for each range of 1, 2, 5, 10 … times a power of ten.
///
/// A stay within 0.4 % of a range's end may be counted in its neighbour.
struct HistogramBars {
  /// The longest bar.
  private static let width = 40
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  let style: TableStyle

  private struct Range {
    let low: UInt64
    var count: UInt64 = 0
  }

  func append(_ histogram: borrowing DurationHistogram, to buffer: inout ByteBuffer) {
    let ranges = Self.ranges(of: histogram)
    let most = ranges.reduce(0) { max($0, $1.count) }
    guard most > 0 else { return }
    let isTerminal = style.width != nil
    let width = max(10, min(Self.width, (style.width ?? 80) - 36))
    var table = TextTable([("FROM", .right), ("STAYS", .right), ("SHARE", .right), ("", .left)])
    for range in ranges {
      let share = Double(range.count) * 1000 / Double(histogram.count)
      let tenths = UInt64(share.rounded())
      let percent = range.count > 0 && tenths == 0 ? "< 0.1 %" : "\(tenths / 10).\(tenths % 10) %"
      table.add([
        range.low == 0 ? "0" : DurationText.string(range.low, glyphs: style.glyphs), NumberText.string(range.count),
        range.count == 0 ? "" : percent, bar(range.count, of: most, width: width, isTerminal),
      ])
    }
    table.append(to: &buffer, color: style.color)
  }

  /// From the first range with a stay to the last.
  private static func ranges(of histogram: borrowing DurationHistogram) -> [Range] {
    var ranges: [Range] = []
    histogram.forEach { middle, number in
      if ranges.isEmpty {
        var low: UInt64 = 0
        while next(low) <= middle, next(low) > low { low = next(low) }
        ranges.append(Range(low: low))
      }
      while let last = ranges.last, next(last.low) > last.low, middle >= next(last.low) {
        ranges.append(Range(low: next(last.low)))
      }
      ranges[ranges.count - 1].count += number
    }
    return ranges
  }

  /// 0, 1, 2, 5, 10, 20 … ; the last is its own next.
  private static func next(_ low: UInt64) -> UInt64 {
    guard low > 0 else { return 1 }
    var unit: UInt64 = 1
    while low / unit >= 10 { unit *= 10 }
    let (next, overflow) = (low / unit == 2 ? 5 * unit : low).multipliedReportingOverflow(by: low / unit == 2 ? 1 : 2)
    return overflow ? low : next
  }

  /// What is there is seen, however little.
  private func bar(_ count: UInt64, of most: UInt64, width: Int, _ isTerminal: Bool) -> String {
    guard count > 0 else { return "" }
    let length = max(1, Int((Double(count) * Double(width * 8) / Double(most)).rounded()))
    guard style.glyphs.arrowWidth == 1 else { return String(repeating: "#", count: max(1, (length + 4) / 8)) }
    return String(repeating: "█", count: length / 8) + Self.eighths[length % 8]
  }
}
