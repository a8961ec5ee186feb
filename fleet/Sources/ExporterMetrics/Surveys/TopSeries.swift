// SPDX-License-Identifier: Apache-2.0

/// Chooses which few of many subjects have series of their own; the others are counted together.
///
/// Each series that comes and goes costs a database more than one that stays, so the choice is sluggish: a subject keeps
/// its series for a while after its last score, and is replaced only by one that clearly scores higher.
package struct TopSeries: Sendable {
  private struct Member {
    var score: UInt64
    /// When it last had a score, nanoseconds.
    var lastScored: UInt64
  }

  /// The most subjects with series of their own.
  package let limit: Int
  /// Nanoseconds for which a subject without a score keeps its series.
  private let linger: UInt64
  private var byName: [String: Member] = [:]
  private var folded: Set<String> = []
  /// How often a subject was counted together with others since the start. One that stays so counts once.
  package private(set) var foldedTotal: UInt64 = 0

  package init(limit: Int, linger: UInt64) {
    self.limit = limit
    self.linger = linger
  }

  /// The subjects with series of their own, by name.
  package var members: [String] { byName.keys.sorted() }

  package func contains(_ name: String) -> Bool { byName[name] != nil }

  /// Chooses anew.
  ///
  /// - Parameters:
  ///   - scores: of all subjects that have one, by name; higher is more important. A subject named as the others are, if
  ///     one is, is always one of the others: two series must not have the same labels.
  ///   - now: nanoseconds, on a clock that is never set.
  package mutating func choose(_ scores: [String: UInt64], now: UInt64) {
    for (name, member) in byName {
      let score = scores[name] ?? 0
      if score > 0 {
        byName[name] = Member(score: score, lastScored: now)
      } else if now - member.lastScored >= linger {
        byName[name] = nil
      } else {
        byName[name]?.score = 0
      }
    }
    let waiting = scores.filter { $0.value > 0 && byName[$0.key] == nil && $0.key != Labels.other }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    for (name, score) in waiting {
      if byName.count >= limit {
        guard let weakest = byName.min(by: { ($0.value.score, $1.key) < ($1.value.score, $0.key) }),
          score > weakest.value.score + weakest.value.score / 4
        else { break }
        byName[weakest.key] = nil
      }
      byName[name] = Member(score: score, lastScored: now)
    }
    let now = Set(scores.filter { $0.value > 0 && byName[$0.key] == nil }.keys)
    foldedTotal += UInt64(now.subtracting(folded).count)
    folded = now
  }
}
