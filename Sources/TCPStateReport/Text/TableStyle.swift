// SPDX-License-Identifier: Apache-2.0

/// How a table for people looks.
public struct TableStyle: Sendable {
  /// Columns of the terminal; `nil` if the output isn't a terminal.
  public var width: Int?
  public var color: Bool
  /// Whether times are in UTC rather than in the local zone.
  public var utc: Bool
  public var glyphs: Glyphs

  public init(width: Int? = nil, color: Bool = false, utc: Bool = false, glyphs: Glyphs = .unicode) {
    self.width = width
    self.color = color
    self.utc = utc
    self.glyphs = glyphs
  }
}
