// SPDX-License-Identifier: Apache-2.0

/// The few characters beyond ASCII that tables use, and their replacements where
/// the terminal's locale isn't UTF-8.
public struct Glyphs: Sendable {
  /// Stands for a value that isn't known; one column wide.
  public let unknown: StaticString
  public let arrow: StaticString
  let arrowWidth: Int
  public let atLeast: StaticString
  let atLeastWidth: Int
  public let micro: StaticString
  /// Ends what was cut.
  public let ellipsis: StaticString

  public static let unicode = Glyphs(
    unknown: "–", arrow: "→", arrowWidth: 1, atLeast: "≥", atLeastWidth: 1, micro: "µ", ellipsis: "…")
  public static let ascii = Glyphs(
    unknown: "-", arrow: "->", arrowWidth: 2, atLeast: ">=", atLeastWidth: 2, micro: "u", ellipsis: "...")
}
