import TCPStateCore

/// What the user of `top` has chosen to see, and how keys change it.
public struct TopView: Sendable, Equatable {
  public enum Order: String, Sendable, CaseIterable {
    case age, state, process, peer, bytes, retransmits
  }

  public enum Grouping: String, Sendable, CaseIterable {
    case none, process, peer, port
  }

  public enum Screen: Sendable, Equatable {
    case list
    /// Of one connection, by its id.
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
    /// By its name.
    case group(String)
  }

  public var order = Order.age
  public var grouping = Grouping.none
  /// The group whose connections are listed, by its name.
  public var group: String?
  public var filter = ""
  /// Whether what is typed goes into the filter.
  public var isTyping = false
  public var selected = 0
  public var screen = Screen.list
  public private(set) var wantsToQuit = false
  private var travel: TopReplay.Travel?
  /// Where the group that was entered was in its list.
  private var selectedGroup = 0

  public init() {}

  /// Whether the lines of the list are groups.
  public var showsGroups: Bool { grouping != .none && group == nil }

  /// Where in time the last key leads, told once; for recordings.
  public mutating func takeTravel() -> TopReplay.Travel? {
    defer { travel = nil }
    return travel
  }

  /// - Parameters:
  ///   - lines: what is listed, in its order.
  ///   - page: lines that fit.
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
    // The list of a group that was just entered or left is another one.
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

  /// One step back: out of a screen, else of a group, else of the filter.
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
