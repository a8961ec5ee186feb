// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the tables of `stuck` show of a reading.
public struct StuckView: Sendable {
  /// How many rows a table has at most; `nil` for all.
  public var limit: Int?
  /// By what sockets are summed up.
  public var grouping: StuckGrouping
  /// Whether the command that ends the sockets is shown: it works on this machine, now.
  public var showsCommand: Bool
  /// Whether it is shown how many sockets have got stuck since watching began.
  public var showsGrowth: Bool
  /// Whether each socket has a row, too.
  public var listsSockets: Bool

  public init(
    limit: Int? = nil, grouping: StuckGrouping = .process, showsCommand: Bool = false, showsGrowth: Bool = false,
    listsSockets: Bool = true
  ) {
    self.limit = limit
    self.grouping = grouping
    self.showsCommand = showsCommand
    self.showsGrowth = showsGrowth
    self.listsSockets = listsSockets
  }
}
