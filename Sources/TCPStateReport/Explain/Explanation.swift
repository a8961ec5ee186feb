// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What a state, verdict, cause or reason is, who has to act, which timer runs, and what to do: for people.
public struct Explanation: Sendable {
  /// `CLOSE-WAIT`
  public let title: String
  /// `state (RFC 9293, section 3.3.2)`
  public let kind: String
  public let meaning: String
  /// Which end or process can change it; `nil` if nothing remains to be done.
  public var actor: String?
  /// Which timer runs, and how long.
  public var timer: String?
  /// The names below /proc/sys/net/ipv4 on which the timer depends.
  public var settings: [String] = []
  /// Commands, or what to look for.
  public var advice: [String] = []
  /// The states whose sockets are worth counting.
  public var states: Set<UInt8> = []
  /// Drawn as it is.
  public var drawing: String?

  init(_ title: String, kind: String, _ meaning: String) {
    (self.title, self.kind, self.meaning) = (title, kind, meaning)
  }

  /// What this host adds.
  public struct Host: Sendable {
    /// The values of `settings`; those that can't be read are missing.
    public var settings: [String: String]
    /// Sockets in `states`; `nil` if they can't be counted.
    public var count: Int?

    public init(settings: [String: String] = [:], count: Int? = nil) {
      (self.settings, self.count) = (settings, count)
    }
  }

  /// The text, in lines of at most `width` columns (at least 60).
  public func text(_ host: Host, width: Int) -> String {
    let width = max(60, min(width, 100))
    var lines = ["\(title): \(kind)"] + Self.wrapped(meaning, width: width, indent: 2)
    if let drawing {
      lines += [""] + drawing.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }
    for (heading, text) in [("Who acts", actor), ("Timer", timer)] {
      guard let text else { continue }
      lines += ["", heading] + Self.wrapped(text, width: width, indent: 2)
    }
    let values = settings.compactMap { name in host.settings[name].map { "net.ipv4.\(name) = \($0)" } }
    let counted = host.count.map { "\(NumberText.string(UInt64($0))) in it now, in this network namespace" }
    if !values.isEmpty || counted != nil {
      lines += ["", "This host"] + (values + (counted.map { [$0] } ?? [])).map { "  " + $0 }
    }
    if !advice.isEmpty {
      lines += ["", "What to do"] + advice.flatMap { Self.wrapped($0, width: width, indent: 2) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What follows in the same item stands below its text.
  private static func wrapped(_ text: String, width: Int, indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    return FittedText.wrapped(text, width: width, first: margin, rest: margin + "  ")
  }
}

extension Explanation {
  /// Everything that can be asked for, in the order of the overview.
  public static var all: [(name: String, explanation: Explanation)] {
    let states = TCPState.all.map { ($0.name(.rfc).lowercased(), of($0)) }
    // The verdict closing has a state's name, under which both are explained.
    let verdicts = Verdict.allCases.filter { $0 != .closing }.map { ($0.name.description, of($0)) }
    let reasons = Reason.allCases.filter { $0 != .unknown && $0 != .unaccepted }.map { ($0.name.description, of($0)) }
    return [("handshake", handshake), ("close", close)] + states + verdicts + reasons
  }

  /// Finds one by its name, in any spelling: `close-wait`, `FIN_WAIT2`, `reset received`, `handshake`.
  public static func named(_ text: String) -> Explanation? {
    let folded = fold(text)
    // The kernel calls CLOSED close, which here is how a connection ends.
    if let found = all.first(where: { fold($0.name) == folded }) { return found.explanation }
    return TCPState(parsing: text).map { of($0) }
  }

  /// The names closest to one that doesn't exist, for a question.
  public static var names: [String] { all.map(\.name) }

  private static func fold(_ text: String) -> String {
    text.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }
  }
}
