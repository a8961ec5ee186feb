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
    case up, down, pageUp, pageDown, home, end, enter, escape, backspace
  }

  public var order = Order.age
  public var grouping = Grouping.none
  public var filter = ""
  /// Whether what is typed goes into the filter.
  public var isTyping = false
  public var selected = 0
  public var screen = Screen.list
  public private(set) var wantsToQuit = false

  public init() {}

  /// - Parameters:
  ///   - shown: the ids of the listed connections, in their order; none when grouped.
  ///   - count: lines in the list.
  ///   - page: lines that fit.
  public mutating func handle(_ key: Key, shown: [UInt64], count: Int, page: Int) {
    if isTyping { return type(key) }
    switch key {
    case .character("q"): wantsToQuit = true
    case .character("?"): screen = screen == .help ? .list : .help
    case .escape:
      if screen == .list { filter = "" }
      screen = .list
    case .enter:
      if screen != .list {
        screen = .list
      } else if shown.indices.contains(selected) {
        screen = .detail(shown[selected])
      }
    case .character("/"):
      screen = .list
      isTyping = true
    case .character(let letter): choose(letter)
    case .up: selected -= 1
    case .down: selected += 1
    case .pageUp: selected -= page
    case .pageDown: selected += page
    case .home: selected = 0
    case .end: selected = count - 1
    case .backspace: break
    }
    selected = max(0, min(selected, count - 1))
  }

  private mutating func choose(_ letter: Character) {
    let orders: [Character: Order] = [
      "a": .age, "s": .state, "p": .process, "e": .peer, "b": .bytes, "r": .retransmits,
    ]
    if let order = orders[letter] {
      self.order = order
      selected = 0
    } else if letter == "g" {
      let all = Grouping.allCases
      let index = all.firstIndex(of: grouping) ?? 0
      grouping = all[(index + 1) % all.count]
      selected = 0
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
