// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the user of `top` has chosen to see, and how keys change that.
public struct TopView: Sendable, Equatable {
  public enum Order: String, Sendable, CaseIterable {
    case age, state, process, peer, bytes, retransmits
  }

  public enum Grouping: String, Sendable, CaseIterable {
    case none, process, peer, port
  }

  public enum Screen: Sendable, Equatable {
    case list
    /// The details of one connection, by its id.
    case detail(UInt64)
    case help
  }

  public enum Key: Sendable, Equatable {
    case character(Character)
    case up, down, left, right, pageUp, pageDown, home, end, enter, escape, backspace
  }

  /// What a line of the list stands for.
  public enum Line: Sendable, Equatable {
    case connection(UInt64)
    /// A group, by its name.
    case group(String)
  }

  public var order = Order.age
  public var grouping = Grouping.none
  /// The name of the group whose connections are listed.
  public var group: String?
  public var filter = ""
  /// Whether keys are typed into the filter.
  public var isTyping = false
  public var selected = 0
  public var screen = Screen.list
  public private(set) var wantsToQuit = false
  private var travel: TopReplay.Travel?
  /// The position of the open group in the list of groups.
  private var selectedGroup = 0

  public init() {}

  /// Whether the lines of the list are groups.
  public var showsGroups: Bool { grouping != .none && group == nil }

  /// Where in time the last key leads, returned once; for recordings.
  public mutating func takeTravel() -> TopReplay.Travel? {
    defer { travel = nil }
    return travel
  }

  /// - Parameters:
  ///   - lines: what the listed lines stand for, in their order.
  ///   - page: the number of list lines that fit.
  public mutating func handle(_ key: Key, lines: [Line], page: Int) {
    if isTyping { return type(key) }
    switch key {
    case .character("q"): wantsToQuit = true
    case .character("?"): screen = screen == .help ? .list : .help
    case .escape: goBack()
    case .enter: enter(lines)
    case .character("/"):
      screen = .list
      isTyping = true
    case .character(let letter): choose(letter)
    case .up: selected -= 1
    case .down: selected += 1
    case .left: travel = .back
    case .right: travel = .forward
    case .pageUp: selected -= page
    case .pageDown: selected += page
    case .home: selected = 0
    case .end: selected = lines.count - 1
    case .backspace: break
    }
    // Entering or leaving a group changes the list, so `lines` is out of date.
    if key != .enter, key != .escape { selected = max(0, min(selected, lines.count - 1)) }
  }

  private mutating func enter(_ lines: [Line]) {
    guard screen == .list else {
      screen = .list
      return
    }
    guard lines.indices.contains(selected) else { return }
    switch lines[selected] {
    case .connection(let id): screen = .detail(id)
    case .group(let name):
      group = name
      selectedGroup = selected
      selected = 0
    }
  }

  /// Goes one step back: closes the screen, else the group, else clears the filter.
  private mutating func goBack() {
    if screen != .list {
      screen = .list
    } else if group != nil {
      group = nil
      selected = selectedGroup
    } else {
      filter = ""
      selected = 0
    }
  }

  private mutating func choose(_ letter: Character) {
    let orders: [Character: Order] = [
      "a": .age, "s": .state, "p": .process, "e": .peer, "b": .bytes, "r": .retransmits,
    ]
    let travels: [Character: TopReplay.Travel] = [
      ",": .previous, ".": .next, "-": .finer, "+": .coarser, "0": .start, "$": .end, " ": .play,
    ]
    if let order = orders[letter] {
      self.order = order
      selected = 0
    } else if letter == "g" {
      let all = Grouping.allCases
      let index = all.firstIndex(of: grouping) ?? 0
      grouping = all[(index + 1) % all.count]
      group = nil
      selected = 0
    } else if let travel = travels[letter] {
      self.travel = travel
    }
  }

  private mutating func type(_ key: Key) {
    switch key {
    case .character(let letter): filter.append(letter)
    case .backspace: if !filter.isEmpty { filter.removeLast() }
    case .enter: isTyping = false
    case .escape:
      isTyping = false
      filter = ""
    default: isTyping = false
    }
    selected = 0
  }
}
