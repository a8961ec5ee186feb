// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the user of `top` has chosen to see. `TopView+Keys.swift` has how keys change that.
public struct TopView: Sendable, Equatable {
  public enum Order: String, Sendable, CaseIterable {
    /// Stuck, then stalled, then the others, each the oldest first.
    case worst
    case age, state, process, peer, bytes, retransmits

    /// The key that sorts by it.
    var key: Character {
      switch self {
      case .worst: "d"
      case .age: "a"
      case .state: "s"
      case .process: "p"
      case .peer: "e"
      case .bytes: "b"
      case .retransmits: "r"
      }
    }
  }

  public enum Grouping: String, Sendable, CaseIterable {
    case none, process, container, peer, port
  }

  public enum Screen: Sendable, Equatable {
    case list
    /// The details of one connection, by its id.
    case detail(UInt64)
    /// The ladder of one connection.
    case ladder(UInt64)
    case columns
    case help
  }

  public enum Key: Sendable, Equatable {
    case character(Character)
    case up, down, left, right, pageUp, pageDown, home, end, enter, escape, backspace
    case wheelUp, wheelDown
    /// A press of the mouse's first button, at a column and a line, both from 0.
    case click(x: Int, y: Int)
  }

  /// What a line of the list stands for.
  public enum Line: Sendable, Equatable {
    case connection(UInt64)
    case group(TopGroup.Key)
    /// All in TIME-WAIT.
    case timeWait
  }

  /// What is at a place of the screen.
  public enum Target: Sendable, Equatable {
    /// A line of the list, or of the columns to choose from.
    case line(Int)
    /// The title of a column.
    case title(TopColumn)
  }

  /// What a key asks for that changes more than the view.
  public enum Request: Sendable, Equatable {
    /// Copy the line of this number.
    case copy(Int)
    /// Write the list to a file.
    case export
    /// Remember the settings.
    case save
    /// Turn the mouse on or off.
    case mouse
  }

  /// What a key leads to depends on what is on the screen.
  public struct Context {
    /// How many lines the list has.
    public var count: Int
    /// How many list lines fit.
    public var page: Int
    public var isRecording: Bool
    /// What a line of the list stands for.
    public var line: (Int) -> Line?
    /// What is at a column and a line of the screen.
    public var target: (Int, Int) -> Target?

    public init(
      count: Int, page: Int, isRecording: Bool = false, line: @escaping (Int) -> Line?,
      target: @escaping (Int, Int) -> Target? = { _, _ in nil }
    ) {
      (self.count, self.page, self.isRecording) = (count, page, isRecording)
      (self.line, self.target) = (line, target)
    }
  }

  public var order = Order.worst
  public var isReversed = false
  public var grouping = Grouping.none
  /// The group whose connections are listed.
  public var group: TopGroup.Key?
  public var filter = ""
  /// Whether keys are typed into the filter.
  public var isTyping = false
  /// Whether the connections in TIME-WAIT are listed, and not just counted.
  public var opensTimeWait = false
  /// The columns that were chosen; `nil` for those that fit the width.
  public var columns: Set<TopColumn>?
  public var theme = TopTheme.dark
  public var isPaused = false
  public var selected = 0
  public var screen = Screen.list
  public internal(set) var wantsToQuit = false
  var travel: TopReplay.Travel?
  var request: Request?
  /// The position of the open group in the list of groups.
  var selectedGroup = 0
  /// The position among the columns to choose from.
  var selectedColumn = 0

  public init() {}

  /// Whether the lines of the list are groups.
  public var showsGroups: Bool { grouping != .none && group == nil }

  /// The connection whose details or ladder are shown.
  public var wanted: UInt64? {
    switch screen {
    case .detail(let id), .ladder(let id): id
    default: nil
    }
  }

  /// Where in time the last key leads, returned once; for recordings.
  public mutating func takeTravel() -> TopReplay.Travel? {
    defer { travel = nil }
    return travel
  }

  /// What the last key asks for, returned once.
  public mutating func takeRequest() -> Request? {
    defer { request = nil }
    return request
  }

  /// Whether a list made for another view is still right for this one.
  public func lists(like other: TopView) -> Bool {
    order == other.order && isReversed == other.isReversed && grouping == other.grouping && group == other.group
      && filter == other.filter && opensTimeWait == other.opensTimeWait
  }
}
