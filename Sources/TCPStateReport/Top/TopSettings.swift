// SPDX-License-Identifier: Apache-2.0

/// The settings of `top` as a file: a line `top.NAME = VALUE` for each, comments after `#`.
public struct TopSettings: Sendable, Equatable {
  public var order = TopView.Order.worst
  public var isReversed = false
  public var grouping = TopView.Grouping.none
  /// `nil` for those that fit the width.
  public var columns: Set<TopColumn>?
  public var theme = TopTheme.dark
  public var mouse = true

  public init() {}

  /// What a view shows now.
  public init(_ view: TopView, mouse: Bool) {
    (order, isReversed, grouping) = (view.order, view.isReversed, view.grouping)
    (columns, theme, self.mouse) = (view.columns, view.theme, mouse)
  }

  public func apply(to view: inout TopView) {
    (view.order, view.isReversed, view.grouping) = (order, isReversed, grouping)
    (view.columns, view.theme) = (columns, theme)
  }

  private static let names = ["top.sort", "top.reverse", "top.group", "top.columns", "top.theme", "top.mouse"]

  /// Reads a file. Lines that can't be read leave their setting as it is.
  ///
  /// - Returns: what is wrong with the first such line, for people, such as `line 3: …`; `nil` if all are right.
  public mutating func read(_ text: String) -> String? {
    var problem: String?
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let content = line.prefix { $0 != "#" }
      guard content.contains(where: { !$0.isWhitespace }) else { continue }
      if let wrong = take(content) { problem = problem ?? "line \(index + 1): \(wrong)" }
    }
    return problem
  }

  private mutating func take(_ line: Substring) -> String? {
    let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return "'\(Self.shown(line))' is not NAME = VALUE" }
    let (name, value) = (Self.trimmed(parts[0]), Self.trimmed(parts[1]))
    switch name {
    case "top.sort": return Self.set(&order, value, TopView.Order(rawValue: value), TopView.Order.allCases)
    case "top.group": return Self.set(&grouping, value, TopView.Grouping(rawValue: value), TopView.Grouping.allCases)
    case "top.theme": return Self.set(&theme, value, TopTheme(rawValue: value), TopTheme.allCases)
    case "top.reverse": return Self.set(&isReversed, value)
    case "top.mouse": return Self.set(&mouse, value)
    case "top.columns":
      switch TopColumn.parse(value) {
      case .success(let columns): self.columns = columns
      case .failure: return "'\(Self.shown(value[...]))' is no list of columns: default, all, or \(TopColumn.names)"
      }
      return nil
    default: return "'\(Self.shown(name[...]))' is no setting: \(Self.names.joined(separator: ", "))"
    }
  }

  private static func set<Choice: RawRepresentable<String>>(
    _ setting: inout Choice, _ value: String, _ choice: Choice?, _ all: [Choice]
  ) -> String? {
    guard let choice else { return "'\(shown(value[...]))' is none of \(all.map(\.rawValue).joined(separator: ", "))" }
    setting = choice
    return nil
  }

  private static func set(_ setting: inout Bool, _ value: String) -> String? {
    guard ["yes", "no"].contains(value) else { return "'\(shown(value[...]))' is neither yes nor no" }
    setting = value == "yes"
    return nil
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return String(text)
  }

  /// Foreign text, of which a line shows only so much.
  private static func shown(_ text: Substring) -> String {
    let text = trimmed(text)
    return TerminalText.visible(text.count > 40 ? String(text.prefix(40)) + "…" : text)
  }

  /// The file's text.
  public var text: String {
    let columns = columns.map { chosen in
      TopColumn.allCases.filter { chosen.contains($0) }.map(\.rawValue).joined(separator: ",")
    }
    let values = [
      order.rawValue, isReversed ? "yes" : "no", grouping.rawValue, columns ?? "default", theme.rawValue,
      mouse ? "yes" : "no",
    ]
    return "# Settings of tcpstate-trace, written by W in top.\n"
      + zip(Self.names, values).map { "\($0) = \($1)\n" }.joined()
  }
}
