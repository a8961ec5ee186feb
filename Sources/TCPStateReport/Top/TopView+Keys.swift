// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// How keys and the mouse change what is shown. `TopKeys` has the text for each.
extension TopView {
  /// How many lines one step of the wheel moves.
  private static let wheel = 3

  public mutating func handle(_ key: Key, _ context: Context) {
    if isTyping, !key.isMouse { return type(key) }
    switch key {
    case .character(let letter): press(letter, context)
    case .escape: goBack()
    case .enter: enter(context)
    case .up: move(-1, context)
    case .down: move(1, context)
    case .wheelUp: move(-Self.wheel, context)
    case .wheelDown: move(Self.wheel, context)
    case .left: travel = .back
    case .right: travel = .forward
    case .pageUp: move(-context.page, context)
    case .pageDown: move(context.page, context)
    case .home: move(-Int(Int32.max), context)
    case .end: move(Int(Int32.max), context)
    case .click(let x, let y): click(context.target(x, y), context)
    case .backspace: break
    }
  }

  /// Moves the mark on the list, or among the columns.
  private mutating func move(_ steps: Int, _ context: Context) {
    if screen == .columns {
      selectedColumn = max(0, min(selectedColumn + steps, TopColumn.allCases.count - 1))
    } else {
      selected = max(0, min(selected + steps, context.count - 1))
    }
  }

  /// To the next line, or back to the first after the last, as a search goes.
  private mutating func cycle(_ step: Int, _ context: Context) {
    guard screen == .list, context.count > 0 else { return }
    selected = (selected + step + context.count) % context.count
  }

  private mutating func press(_ letter: Character, _ context: Context) {
    if let order = Order.allCases.first(where: { $0.key == letter }) { return sort(order) }
    switch letter {
    case "q": wantsToQuit = true
    case "?": screen = screen == .help ? .list : .help
    case "/":
      screen = .list
      isTyping = true
    case "j": move(1, context)
    case "k": move(-1, context)
    case "n": cycle(1, context)
    case "N": cycle(-1, context)
    case "g":
      let all = Grouping.allCases
      let index = all.firstIndex(of: grouping) ?? 0
      grouping = all[(index + 1) % all.count]
      group = nil
      selected = 0
    case "c": screen = screen == .columns ? .list : .columns
    case "t": theme = theme.next
    case "L": openLadder(context)
    case "y": if screen == .list { request = .copy(selected) }
    case "w": request = .export
    case "W": request = .save
    case "m": request = .mouse
    case " ": pause(context)
    default: travel = Self.travels[letter]
    }
  }

  private static let travels: [Character: TopReplay.Travel] = [
    ",": .previous, ".": .next, "-": .finer, "+": .coarser, "0": .start, "$": .end,
  ]

  private mutating func pause(_ context: Context) {
    if screen == .columns {
      toggleColumn()
    } else if context.isRecording {
      travel = .play
    } else {
      isPaused.toggle()
    }
  }

  /// Sorts by this, or the other way round if it is sorted by it already.
  private mutating func sort(_ order: Order) {
    isReversed = self.order == order ? !isReversed : false
    self.order = order
    selected = 0
  }

  private mutating func openLadder(_ context: Context) {
    if case .detail(let id) = screen {
      screen = .ladder(id)
    } else if screen == .list, case .connection(let id) = context.line(selected) {
      screen = .ladder(id)
    }
  }

  private mutating func enter(_ context: Context) {
    guard screen == .list else {
      if screen == .columns { toggleColumn() } else { screen = .list }
      return
    }
    switch context.line(selected) {
    case .connection(let id): screen = .detail(id)
    case .timeWait: opensTimeWait.toggle()
    case .group(let key):
      group = key
      selectedGroup = selected
      selected = 0
    case nil: break
    }
  }

  /// Chooses what was clicked; a second click opens it.
  private mutating func click(_ target: Target?, _ context: Context) {
    switch target {
    case .title(let column): if let order = column.order { sort(order) }
    case .line(let index) where screen == .columns:
      selectedColumn = index
      toggleColumn()
    case .line(let index):
      if index == selected { enter(context) } else { selected = index }
    case nil: if screen != .columns { screen = .list }
    }
  }

  private mutating func toggleColumn() {
    let column = TopColumn.allCases[selectedColumn]
    var chosen = columns ?? TopColumn.usual
    if chosen.remove(column) == nil { chosen.insert(column) }
    // A list without any column would say nothing.
    columns = chosen.isEmpty ? nil : chosen
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

extension TopView.Key {
  var isMouse: Bool {
    switch self {
    case .click, .wheelUp, .wheelDown: true
    default: false
    }
  }
}
