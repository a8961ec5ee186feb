// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import Testing

@testable import TCPStateReport

/// Keys and the mouse.
@Suite struct TopViewTests {
  private var view = TopView()

  private mutating func press(
    _ keys: TopView.Key..., lines: [TopView.Line] = [], isRecording: Bool = false,
    target: @escaping (Int, Int) -> TopView.Target? = { _, _ in nil }
  ) {
    let context = TopView.Context(
      count: lines.count, page: 2, isRecording: isRecording,
      line: { lines.indices.contains($0) ? lines[$0] : nil }, target: target)
    for key in keys { view.handle(key, context) }
  }

  private static let three: [TopView.Line] = [.connection(5), .connection(6), .connection(7)]
  private static let a = TopGroup.Key.process(ShortName("a"), 1)
  private static let b = TopGroup.Key.process(ShortName("b"), 2)

  @Test mutating func movingAndOpening() {
    press(.down, .character("j"), .down, lines: Self.three)
    #expect(view.selected == 2)
    press(.character("k"), .enter, lines: Self.three)
    #expect(view.screen == .detail(6) && view.wanted == 6)
    press(.character("L"), lines: Self.three)
    #expect(view.screen == .ladder(6) && view.wanted == 6)
    press(.escape, .wheelDown, lines: Self.three)
    #expect(view.screen == .list && view.selected == 2 && view.wanted == nil)
    press(.wheelUp, .character("L"), lines: Self.three)
    #expect(view.screen == .ladder(5))
    press(.character("?"), .character("?"), .home, .end, lines: Self.three)
    #expect(view.screen == .list && view.selected == 2)
  }

  /// `n` goes on from the last match to the first, and `N` back.
  @Test mutating func nextMatch() {
    press(.character("n"), .character("n"), lines: Self.three)
    #expect(view.selected == 2)
    press(.character("n"), lines: Self.three)
    #expect(view.selected == 0)
    press(.character("N"), lines: Self.three)
    #expect(view.selected == 2)
    press(.character("n"))
    #expect(view.selected == 2, "there is nothing to go to")
  }

  @Test mutating func sorting() {
    #expect(view.order == .worst && !view.isReversed)
    for order in TopView.Order.allCases where order != .worst {
      press(.character(order.key))
      #expect(view.order == order && !view.isReversed)
      press(.character(order.key))
      #expect(view.order == order && view.isReversed)
    }
    press(.character("d"))
    #expect(view.order == .worst && !view.isReversed)
  }

  @Test mutating func filterAndGroups() {
    press(.character("/"), .character("q"), .character("x"), .backspace)
    #expect(view.filter == "q" && view.isTyping && !view.wantsToQuit)
    press(.enter, .character("g"), .character("?"))
    #expect(!view.isTyping && view.grouping == .process && view.screen == .help)
    press(.character("?"))
    press(.down, .enter, lines: [.group(Self.a), .group(Self.b)])
    #expect(view.group == Self.b && view.screen == .list && view.selected == 0 && !view.showsGroups)
    press(.enter, lines: [.connection(9)])
    #expect(view.screen == .detail(9))
    press(.escape)
    #expect(view.group == Self.b && view.screen == .list)
    press(.escape)
    #expect(view.group == nil && view.selected == 1 && view.filter == "q")
    press(.escape)
    #expect(view.filter.isEmpty && view.screen == .list)
    press(.character("q"))
    #expect(view.wantsToQuit)
  }

  @Test mutating func timeWaitOpensAndCloses() {
    press(.enter, lines: [.timeWait])
    #expect(view.opensTimeWait && view.screen == .list)
    press(.enter, lines: [.timeWait])
    #expect(!view.opensTimeWait)
  }

  @Test mutating func mouse() {
    press(.click(x: 3, y: 9), lines: Self.three) { x, y in x == 3 && y == 9 ? .line(1) : nil }
    #expect(view.selected == 1 && view.screen == .list)
    press(.click(x: 3, y: 9), lines: Self.three) { _, _ in .line(1) }
    #expect(view.screen == .detail(6), "a second click opens")
    press(.click(x: 0, y: 0), lines: Self.three)
    #expect(view.screen == .list)
    press(.click(x: 20, y: 5), lines: Self.three) { _, _ in .title(.peer) }
    #expect(view.order == .peer)
    press(.click(x: 20, y: 5), lines: Self.three) { _, _ in .title(.peer) }
    #expect(view.isReversed)
    press(.character("/"), .wheelDown, .character("x"), lines: Self.three)
    #expect(view.filter == "x" && view.isTyping, "the wheel doesn't end typing")
  }

  @Test mutating func pausing() {
    press(.character(" "))
    #expect(view.isPaused)
    press(.character(" "))
    #expect(!view.isPaused)
    press(.character(" "), isRecording: true)
    #expect(!view.isPaused && view.takeTravel() == .play)
    press(.left)
    #expect(view.takeTravel() == .back && view.takeTravel() == nil)
    press(.character("."))
    #expect(view.takeTravel() == .next)
  }

  @Test mutating func choosingColumns() {
    press(.character("c"))
    #expect(view.screen == .columns)
    press(.down, .character(" "), lines: Self.three)
    #expect(view.columns == Set(TopColumn.allCases).subtracting([.state]) && view.selected == 0)
    press(.enter, .escape)
    #expect(view.columns == Set(TopColumn.allCases) && view.screen == .list)
    view.columns = [.age]
    press(.character("c"), .click(x: 1, y: 8)) { _, _ in .line(0) }
    #expect(view.columns == nil, "without any the usual ones are back")
  }

  @Test mutating func requests() {
    for (key, request) in [
      ("y", TopView.Request.copy(0)), ("w", .export), ("W", .save), ("m", .mouse),
    ] as [(Character, TopView.Request)] {
      press(.character(key), lines: Self.three)
      #expect(view.takeRequest() == request && view.takeRequest() == nil)
    }
    press(.character("t"))
    #expect(view.theme == .light)
  }

  /// Each key that does something is in the help, and each key of the help does something.
  @Test mutating func help() {
    let named = Set(TopKeys.all.flatMap { $0.keys.split(separator: " ") }.filter { $0.count == 1 }.compactMap(\.first))
    for scalar in 0x21...0x7e {
      guard let letter = Unicode.Scalar(scalar).map({ Character($0) }) else { continue }
      var before = TopView()
      // Where each of them changes something.
      (before.selected, before.order) = (1, letter == "d" ? .age : .worst)
      view = before
      press(.character(letter), lines: Self.three)
      #expect((view != before) == named.contains(letter), "\(letter)")
    }
  }

  /// The page has every key with the same words.
  @Test func documentation() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/top.md")
    let text = try String(contentsOf: page, encoding: .utf8)
      .replacing("`", with: "").replacing(/\[([^\]]*)\]\([^)]*\)/) { $0.output.1 }
    for entry in TopKeys.all { #expect(text.contains("| \(entry.keys) | \(entry.meaning) |"), "\(entry)") }
  }
}
