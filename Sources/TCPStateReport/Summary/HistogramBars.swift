// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A histogram of durations: one bar per range, on a logarithmic scale.
///
/// A stay within 0.4 % of a range's end may be counted in the range next to it.
struct HistogramBars {
  /// Columns of the longest bar.
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
      table.add([
        range.low == 0 ? "0" : DurationText.string(range.low, glyphs: style.glyphs), NumberText.string(range.count),
        range.count == 0 ? "" : SummaryText.share(range.count, of: histogram.count),
        bar(range.count, of: most, width: width, isTerminal),
      ])
    }
    table.append(to: &buffer, color: style.color)
  }

  /// Where ranges begin: 0, 1, 2, 5, 10, 20 … nanoseconds up to 10 s, then in everyday units: 20 s, 30 s,
  /// 1 m … 1 d, 2 d, 5 d.
  private static let steps: [UInt64] = {
    var steps: [UInt64] = [0]
    var unit: UInt64 = 1
    while unit <= 1_000_000_000 {
      steps += [unit, 2 * unit, 5 * unit]
      unit *= 10
    }
    let minute: UInt64 = 60
    let hour = 60 * minute
    let day = 24 * hour
    steps += ([10, 20, 30] + [1, 2, 5, 10, 20, 30].map { $0 * minute }).map { $0 * 1_000_000_000 }
    steps += ([1, 2, 5, 10].map { $0 * hour } + [1, 2, 5, 10, 20, 50, 100].map { $0 * day }).map { $0 * 1_000_000_000 }
    return steps
  }()

  /// The ranges from the first that has a stay to the last.
  private static func ranges(of histogram: borrowing DurationHistogram) -> [Range] {
    var ranges: [Range] = []
    var next = 0
    histogram.forEach { middle, number in
      // Stays come shortest first, so one pass over the steps is enough.
      while next < steps.count, steps[next] <= middle {
        let isFirst = ranges.isEmpty
        if !isFirst || next + 1 == steps.count || steps[next + 1] > middle { ranges.append(Range(low: steps[next])) }
        next += 1
      }
      ranges[ranges.count - 1].count += number
    }
    return ranges
  }

  /// A non-empty range always draws at least one cell.
  private func bar(_ count: UInt64, of most: UInt64, width: Int, _ isTerminal: Bool) -> String {
    guard count > 0 else { return "" }
    let length = max(1, Int((Double(count) * Double(width * 8) / Double(most)).rounded()))
    guard style.glyphs.arrowWidth == 1 else { return String(repeating: "#", count: max(1, (length + 4) / 8)) }
    return String(repeating: "█", count: length / 8) + Self.eighths[length % 8]
  }
}
