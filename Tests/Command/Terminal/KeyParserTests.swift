// SPDX-License-Identifier: Apache-2.0
import TCPStateReport
import TestSupport
import Testing

@testable import tcpstate_trace

/// A terminal's bytes as the keys of `top`.
@Suite struct KeyParserTests {
  private typealias Key = TopView.Key

  private static func keys(_ reads: String...) -> [Key] { keys(reads.map { Array($0.utf8) }) }

  private static func keys(_ reads: [[UInt8]]) -> [Key] {
    var parser = KeyParser()
    return reads.flatMap { parser.keys($0) }
  }

  private static func characters(_ text: String) -> [Key] { text.map { .character($0) } }

  /// Every sequence with a meaning, as xterm sends it in either cursor mode, and as tmux does.
  private static let sequences: [(String, TopView.Key)] = [
    ("\u{1b}[A", .up), ("\u{1b}[B", .down), ("\u{1b}[C", .right), ("\u{1b}[D", .left), ("\u{1b}OA", .up),
    ("\u{1b}OB", .down), ("\u{1b}OC", .right), ("\u{1b}OD", .left), ("\u{1b}[5~", .pageUp), ("\u{1b}[6~", .pageDown),
    ("\u{1b}[H", .home), ("\u{1b}[F", .end), ("\u{1b}[1~", .home), ("\u{1b}[4~", .end),
    ("\u{1b}[<0;1;1M", .click(x: 0, y: 0)), ("\u{1b}[<0;223;95M", .click(x: 222, y: 94)),
    ("\u{1b}[<64;3;4M", .wheelUp), ("\u{1b}[<65;3;4M", .wheelDown),
  ]

  @Test func plainKeys() {
    #expect(Self.keys("q /?$ ~") == Self.characters("q /?$ ~"))
    #expect(Self.keys("\r\n\u{7f}\u{8}") == [.enter, .enter, .backspace, .backspace])
    #expect(Self.keys([[0, 1, 0x09, 0x1f]]).isEmpty, "control characters mean nothing")
    #expect(Self.keys("").isEmpty)
  }

  @Test func escape() {
    #expect(Self.keys("\u{1b}") == [.escape])
    #expect(Self.keys("\u{1b}\u{1b}[A") == [.escape, .up])
    #expect(Self.keys("\u{1b}x") == [.escape, .character("x")], "Alt and a letter")
  }

  @Test func sequences() {
    for (sequence, key) in Self.sequences {
      #expect(Self.keys(sequence) == [key])
      #expect(Self.keys("a\(sequence)\(sequence)b") == [.character("a"), key, key, .character("b")])
    }
  }

  /// A sequence may be split anywhere after its introducer.
  @Test func sequencesSplitAcrossReads() {
    for (sequence, key) in Self.sequences {
      let bytes = Array(sequence.utf8)
      for cut in 2..<bytes.count {
        #expect(Self.keys([Array(bytes[..<cut]), Array(bytes[cut...]) + Array("b".utf8)]) == [key, .character("b")])
      }
      #expect(Self.keys([Array(bytes[..<2])] + bytes[2...].map { [$0] }) == [key])
    }
  }

  /// An ESC at the end of a read is Escape at once: waiting for more would make that key late.
  @Test func anEscapeAtTheEndOfAReadIsAKey() {
    var parser = KeyParser()
    let first = parser.keys([0x1b])
    let second = parser.keys(Array("[A".utf8))
    #expect(first == [.escape])
    #expect(second == Self.characters("[A"))
  }

  /// Function keys, keys with modifiers and what the terminal reports: none leaves a stray character.
  @Test(arguments: [
    "\u{1b}[2~", "\u{1b}[15~", "\u{1b}[1;5C", "\u{1b}[Z", "\u{1b}[200~", "\u{1b}[?1;2c", "\u{1b}[24;80R", "\u{1b}OP",
    "\u{1b}OS", "\u{1b}[[A", "\u{1b}[[E", "\u{1b}[<0;1;1m", "\u{1b}[<2;1;1M", "\u{1b}[<0;0;1M", "\u{1b}[<0;1M",
    "\u{1b}[<;;M", "\u{1b}[<0;99999999999999999999;1M",
  ])
  func unknownSequencesArePassedOver(_ sequence: String) {
    #expect(Self.keys("a\(sequence)b") == Self.characters("ab"))
    let bytes = Array(sequence.utf8)
    for cut in 2...bytes.count {
      #expect(Self.keys([Array(bytes[..<cut]), Array(bytes[cut...]) + Array("b".utf8)]) == Self.characters("b"))
    }
  }

  /// What isn't a sequence after all neither hides later keys nor is waited for without end.
  @Test func brokenSequences() {
    #expect(Self.keys("\u{1b}[12\u{1b}[A") == [.up])
    #expect(Self.keys("\u{1b}[12\rq") == [.enter, .character("q")])
    #expect(Self.keys("\u{1b}[" + String(repeating: "1;", count: 40), "q") == Self.characters("q"))
  }

  /// Pasted text between the brackets of bracketed paste is typed.
  @Test func bracketedPaste() {
    #expect(Self.keys("\u{1b}[200~nginx\u{1b}[201~") == Self.characters("nginx"))
  }

  @Test func utf8() {
    #expect(Self.keys("é→😀") == Self.characters("é→😀"))
    for text in ["é", "→", "😀"] {
      let bytes = Array(text.utf8)
      for cut in 1..<bytes.count {
        #expect(
          Self.keys([Array("a".utf8) + bytes[..<cut], bytes[cut...] + Array("b".utf8)]) == Self.characters("a\(text)b"))
      }
    }
  }

  /// Bytes that aren't UTF-8 are passed over, and so are C1 controls.
  @Test(
    arguments: [
      [0x80], [0xff], [0xc3], [0xe2, 0x86], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f], [0xc2, 0x9b],
    ] as [[UInt8]])
  func invalidUTF8(_ bytes: [UInt8]) {
    let key = Array("b".utf8)
    #expect(Self.keys([bytes + key]) == Self.characters("b"))
    #expect(Self.keys(bytes.map { [$0] } + [key]) == Self.characters("b"))
  }

  /// Random bytes give the same keys however they are split, except after an ESC.
  @Test(arguments: 0..<50 as Range<UInt64>)
  func splitsDontMatter(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let alphabet: [UInt8] = [
      0x1b, 0x5b, 0x4f, 0x41, 0x31, 0x3b, 0x7e, 0x71, 0x0d, 0x7f, 0xc3, 0xa9, 0xe2, 0x86, 0x92, 0xff,
    ]
    let bytes = (0..<40).map { _ in alphabet.randomElement(using: &random) ?? 0 }
    let whole = Self.keys([bytes])
    var reads: [[UInt8]] = [[]]
    for byte in bytes {
      let mayCut = reads[reads.count - 1].last != 0x1b
      if mayCut, Bool.random(using: &random) { reads.append([]) }
      reads[reads.count - 1].append(byte)
    }
    #expect(Self.keys(reads) == whole, "\(reads)")
  }
}
