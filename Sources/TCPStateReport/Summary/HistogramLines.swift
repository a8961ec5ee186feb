// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The stays of each state as one line, all on one logarithmic scale, so that states can be compared.
struct HistogramLines {
  /// By how many stays there are compared with the most of the line; the square root, because the few long stays are what
  /// people look for.
  private static let bars = (unicode: Array("▁▂▃▄▅▆▇█"), ascii: Array(".:-=+*#@"))
  private static let mostPerDecade = 12
  /// Columns that a scale takes at least.
  private static let leastWidth = 20

  let lines: SummaryLines
  let style: TableStyle

  private struct Scale {
    /// Powers of ten, in nanoseconds.
    var from: Int
    var to: Int
    var perDecade: Int

    var width: Int { (to - from) * perDecade }
  }

  func append(to buffer: inout ByteBuffer) {
    let shown = lines.lines.filter { ($0.cell?.counts.histogram.count ?? 0) > 0 }
    guard let range = Self.range(of: shown) else { return }
    var isInline = true
    var labels = table(shown, isInline, nil)
    if let width = style.width, labels.width() + 2 + Self.leastWidth > width, !lines.keys.isEmpty {
      isInline = false
      labels = table(shown, isInline, nil)
    }
    let room = max(Self.leastWidth, (style.width ?? 80) - labels.width() - 2)
    let decades = range.to - range.from
    let scale = Scale(
      from: range.from, to: range.to, perDecade: max(1, min(Self.mostPerDecade, room / decades)))
    table(shown, isInline, scale).append(to: &buffer, color: style.color)
  }

  private func table(_ shown: [SummaryLines.Line], _ isInline: Bool, _ scale: Scale?) -> TextTable {
    let keys = isInline ? lines.keys : []
    var table = TextTable(
      keys.map { ($0.title, $0.isNumber ? .right : .left) } + [("STATE", .left), ("STAYS", .right)]
        + (scale.map { [(axis($0), .left)] } ?? []))
    var last: SummaryGroup?
    for (index, line) in shown.enumerated() {
      let isFirst = index == 0 || line.group != last
      last = line.group
      let group = SummaryText.group(line.group, of: lines, style.glyphs)
      if isFirst, !isInline { table.add(title: SummaryText.title(line.group, of: lines, style.glyphs)) }
      let names = isInline ? (isFirst ? group : group.map { _ in "" }) : []
      let cells = [line.summary.state.name(.rfc), NumberText.string(line.summary.stays)]
      table.add(
        names + cells + (scale.map { [bar(line, $0)] } ?? []),
        color: names.isEmpty ? StateColor.of(line.summary.state) : nil)
    }
    return table
  }

  /// The powers of ten around all stays.
  private static func range(of lines: [SummaryLines.Line]) -> (from: Int, to: Int)? {
    var shortest = UInt64.max
    var longest: UInt64 = 0
    for line in lines {
      line.cell?.counts.histogram.forEach { middle, _ in
        shortest = min(shortest, middle)
        longest = max(longest, middle)
      }
    }
    guard shortest <= longest else { return nil }
    return (power(below: shortest), power(below: longest) + 1)
  }

  /// The largest power of ten that isn't above the duration; 0 for one of 0 ns, which is drawn as 1.
  private static func power(below nanoseconds: UInt64) -> Int {
    var power = 0
    var rest = nanoseconds / 10
    while rest > 0 {
      power += 1
      rest /= 10
    }
    return power
  }

  private func bar(_ line: SummaryLines.Line, _ scale: Scale) -> String {
    var counts = [UInt64](repeating: 0, count: scale.width)
    line.cell?.counts.histogram.forEach { middle, number in
      counts[min(Self.column(of: middle, scale), scale.width - 1)] += number
    }
    let most = Double(counts.max() ?? 1)
    let bars = style.glyphs.arrowWidth == 1 ? Self.bars.unicode : Self.bars.ascii
    let text = counts.map { count -> Character in
      if count == 0 { return " " }
      return bars[min(bars.count - 1, Int((Double(count) / most).squareRoot() * Double(bars.count)))]
    }
    return String(text[...(text.lastIndex { $0 != " " } ?? 0)])
  }

  private static func column(of nanoseconds: UInt64, _ scale: Scale) -> Int {
    let power = power(below: nanoseconds)
    // Between two powers of ten: how many steps of an equal ratio fit below.
    var within = 0
    let part = Double(nanoseconds) / Double(tenTo(power))
    while within + 1 < scale.perDecade, step(within + 1, of: scale.perDecade) <= part { within += 1 }
    return (power - scale.from) * scale.perDecade + within
  }

  private static func tenTo(_ power: Int) -> UInt64 { (0..<power).reduce(1) { result, _ in result * 10 } }

  /// 10^(number / of): where the columns of a decade begin, for up to twelve of them.
  private static func step(_ number: Int, of columns: Int) -> Double { steps[columns][number] }

  /// By columns per decade: the powers, by Newton's method from 10, so that no mathematical library is needed.
  private static let steps: [[Double]] = (0...mostPerDecade).map { columns in
    guard columns > 0 else { return [] }
    var root = 10.0
    for _ in 0..<200 {
      let below = (1..<max(columns, 1)).reduce(1.0) { result, _ in result * root }
      root -= (below * root - 10) / (Double(columns) * below)
    }
    return (0..<columns).map { number in (0..<number).reduce(1.0) { result, _ in result * root } }
  }

  /// `1 µs     10 µs    100 µs`: each at the column where its power of ten begins, as many as have room.
  private func axis(_ scale: Scale) -> String {
    var text: [Character] = []
    for power in scale.from..<scale.to {
      let place = (power - scale.from) * scale.perDecade
      guard text.isEmpty || text.count + 2 <= place else { continue }
      text += Array(repeating: " ", count: place - text.count)
      text += Array(label(power))
    }
    return String(text)
  }

  /// Seconds from 1 s on, because 1,000 s isn't round in any other unit.
  private func label(_ power: Int) -> String {
    let unit = min(3, power / 3)
    let names = ["ns", "\(style.glyphs.micro)s", "ms", "s"]
    return "\(NumberText.string(Self.tenTo(power - unit * 3))) \(names[unit])"
  }
}
