// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import Foundation
import Testing

/// docs/exporter.md describes every family, in the table's words.
@Suite struct DocumentationTests {
  private static let page = URL(fileURLWithPath: #filePath).appending(path: "../../../../docs/exporter.md").standardized

  private static var table: String {
    var lines = ["| series | type | unit | meaning | known from |", "|---|---|---|---|---|"]
    for family in MetricFamilies.all {
      let labels = family.labels.isEmpty ? "" : "{" + family.labels.joined(separator: ",") + "}"
      let unit = family.unit ?? (family.name.hasSuffix("_info") ? "1" : "count")
      lines.append(
        "| `\(family.name)\(labels)` | \(family.kind.rawValue) | \(unit) | \(family.help) | \(family.basis) |")
    }
    return lines.joined(separator: "\n")
  }

  /// UPDATE_GOLDEN=1 writes the table anew.
  @Test func seriesGolden() throws {
    let text = try String(contentsOf: Self.page, encoding: .utf8)
    let (begin, end) = ("<!-- series -->\n", "\n<!-- /series -->")
    let start = try #require(text.range(of: begin)).upperBound
    let stop = try #require(text.range(of: end)).lowerBound
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      let new = text[..<start] + Self.table + text[stop...]
      if new != text { try String(new).write(to: Self.page, atomically: true, encoding: .utf8) }
    } else {
      #expect(text[start..<stop] == Self.table, "run make golden")
    }
  }
}
