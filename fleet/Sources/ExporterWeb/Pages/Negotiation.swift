// SPDX-License-Identifier: Apache-2.0

/// Which format and coding a client accepts (RFC 9110, section 12.5).
package enum Negotiation {
  package enum Format: Hashable, Sendable {
    case text
    /// version: the one that the client asked for.
    case openMetrics(version: String)

    var contentType: String {
      switch self {
      case .text: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics(let version): "application/openmetrics-text; version=\(version); charset=utf-8"
      }
    }
  }

  /// The format with the highest quality; of equals the one named first. Text if nothing fits, as Prometheus' clients do:
  /// a page that can be read is worth more than an error.
  package static func format(accept: [String]) -> Format {
    var best: (format: Format, quality: Double)?
    for element in elements(accept) where element.quality > best?.quality ?? 0 {
      guard let format = format(of: element) else { continue }
      best = (format, element.quality)
    }
    return best?.format ?? .text
  }

  private static func format(of element: Element) -> Format? {
    switch element.value {
    case "application/openmetrics-text":
      let version = element.parameters["version"] ?? "0.0.1"
      return ["0.0.1", "1.0.0"].contains(version) ? .openMetrics(version: version) : nil
    case "text/plain": return [nil, "0.0.4"].contains(element.parameters["version"]) ? .text : nil
    case "text/*", "*/*": return .text
    default: return nil
    }
  }

  /// Whether gzip is acceptable: it is named, or `*` is, without a quality of 0.
  package static func acceptsGzip(acceptEncoding: [String]) -> Bool {
    let codings = elements(acceptEncoding)
    let named = codings.first { $0.value == "gzip" || $0.value == "x-gzip" } ?? codings.first { $0.value == "*" }
    return (named?.quality ?? 0) > 0
  }

  private struct Element {
    /// Lower case, without parameters.
    var value: String
    var parameters: [String: String] = [:]
    var quality = 1.0
  }

  /// The elements of a header's fields; at most 64, because foreign headers shouldn't cost much.
  private static func elements(_ fields: [String]) -> [Element] {
    var result: [Element] = []
    for field in fields {
      for part in field.split(separator: ",") {
        guard result.count < 64 else { return result }
        let pieces = part.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard let first = pieces.first, !first.isEmpty else { continue }
        var element = Element(value: first.lowercased())
        for piece in pieces.dropFirst() {
          let pair = piece.split(separator: "=", maxSplits: 1).map(trimmed)
          guard pair.count == 2 else { continue }
          if pair[0].lowercased() == "q" {
            element.quality = quality(pair[1])
          } else {
            element.parameters[pair[0].lowercased()] = String(pair[1].drop { $0 == "\"" }.prefix { $0 != "\"" })
          }
        }
        result.append(element)
      }
    }
    return result
  }

  /// From 0 to 1; what isn't a number counts as 0, so it is never preferred.
  private static func quality(_ text: Substring) -> Double {
    guard let value = Double(text), (0...1).contains(value) else { return 0 }
    return value
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }
}
