// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A diagnosis for people: a line for each check, with what follows and what to do below it.
public struct DiagnosisText {
  private static let narrowest = 60
  private static let widest = 100

  private let style: TableStyle

  public init(_ style: TableStyle = TableStyle()) {
    self.style = style
  }

  public func append(_ diagnosis: Diagnosis, to buffer: inout ByteBuffer) {
    let titles = diagnosis.checks.map { DisplayWidth.of($0.title) }.max() ?? 0
    // Status, title, and two spaces around each.
    let margin = 2 + Self.statusWidth + 2 + titles + 2
    let width = max(Self.narrowest, min(style.width ?? 80, Self.widest)) - margin
    for group in Check.Group.allCases {
      let checks = diagnosis.checks.filter { $0.group == group }
      guard !checks.isEmpty else { continue }
      if style.color { buffer.append(StateColor.heading) }
      buffer.append(group.heading)
      if style.color { buffer.append(StateColor.reset) }
      buffer.append("\n")
      for check in checks { append(check, titles: titles, margin: margin, width: width, to: &buffer) }
      buffer.append("\n")
    }
    buffer.append(Self.conclusion(diagnosis, width: width + margin))
  }

  private static let statusWidth = Check.Status.allCases.map(\.rawValue.count).max() ?? 0

  private func append(_ check: Check, titles: Int, margin: Int, width: Int, to buffer: inout ByteBuffer) {
    buffer.append("  ")
    let color: StaticString? = style.color ? check.status.color : nil
    if let color { buffer.append(color) }
    buffer.append(check.status.rawValue)
    if color != nil { buffer.append(StateColor.reset) }
    buffer.append(spaces: Self.statusWidth - check.status.rawValue.count + 2)
    buffer.append(check.title)
    buffer.append(spaces: titles - DisplayWidth.of(check.title) + 2)
    let text = check.meaning.isEmpty ? check.found : "\(check.found): \(check.meaning)"
    var lines = FittedText.wrapped(TerminalText.visible(text), width: width)
    if !check.remedy.isEmpty {
      let arrow = "\(style.glyphs.arrow) "
      lines += FittedText.wrapped(
        TerminalText.visible(check.remedy), width: width, first: arrow,
        rest: String(repeating: " ", count: DisplayWidth.of(arrow)))
    }
    for (index, line) in lines.enumerated() {
      if index > 0 { buffer.append(spaces: margin) }
      buffer.append(line)
      buffer.append("\n")
    }
  }

  /// What it comes to, in a sentence.
  private static func conclusion(_ diagnosis: Diagnosis, width: Int) -> String {
    func names(_ status: Check.Status) -> String { diagnosis.checks(status).map(\.title).joined(separator: ", ") }
    let text: String
    if !diagnosis.canTrace {
      // What loading failed of is among the others, if anything is known of it.
      let causes = diagnosis.checks(.no).filter { $0.group != .tracing }
      let shown = causes.isEmpty ? names(.no) : causes.map(\.title).joined(separator: ", ")
      text = "Tracing isn't possible here: \(shown)."
    } else {
      let less = names(.less)
      text = less.isEmpty ? "Tracing works here." : "Tracing works here, with less: \(less)."
    }
    return FittedText.wrapped(text, width: width).joined(separator: "\n") + "\n"
  }
}

extension Check.Group {
  fileprivate var heading: String {
    switch self {
    case .kernel: "Kernel"
    case .rights: "Rights"
    case .surroundings: "Surroundings"
    case .host: "Host"
    case .tracing: "Tracing"
    }
  }
}

extension Check.Status {
  fileprivate var color: StaticString? {
    switch self {
    case .ok: "\u{1b}[32m"
    case .note, .unknown: "\u{1b}[2m"
    case .less: "\u{1b}[1;33m"
    case .no: "\u{1b}[1;31m"
    }
  }
}
