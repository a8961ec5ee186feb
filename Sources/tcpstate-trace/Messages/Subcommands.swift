// SPDX-License-Identifier: Apache-2.0

/// The names of the subcommands, for what is typed instead of them.
enum Subcommands {
  /// A test compares them with those that there are.
  static let names = [
    "trace", "top", "stuck", "summary", "lifecycle", "report", "tcpstates", "serve", "explain", "doctor", "schema",
    "help",
  ]

  /// The subcommand that somebody meant who typed a word close to it.
  static func near(_ word: String) -> String? { near(word, among: names) }

  static func near(_ word: String, among names: [String]) -> String? {
    let allowed = word.count < 5 ? 1 : 2
    return names.map { ($0, distance($0, word)) }.filter { $0.1 <= allowed }.min { $0.1 < $1.1 }?.0
  }

  /// How many letters have to be inserted, removed, replaced or exchanged with their neighbour.
  static func distance(_ first: String, _ second: String) -> Int {
    let (a, b) = (Array(first.utf8), Array(second.utf8))
    guard !a.isEmpty, !b.isEmpty, b.count <= 64 else { return max(a.count, b.count) }
    var rows = [Array(0...b.count)]
    for i in 1...a.count {
      var row = [i]
      for j in 1...b.count {
        var best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
