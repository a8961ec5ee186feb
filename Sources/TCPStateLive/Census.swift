// SPDX-License-Identifier: Apache-2.0
/// Compares how many sockets the kernel has with how many are tracked, to know when transitions were missed that the
/// kernel neither reported nor counted.
///
/// The two never count at the same instant, so single differences mean nothing. Their middle after a reading of the
/// tables is what the difference is when all is well; if it is on one side of that for seconds, something was missed.
struct Census {
  /// Differences from which the usual one is taken.
  private static let settling = 5
  /// Differences in a row, all on one side, that make a drift.
  private static let drifting = 8

  private var usual: Int?
  private var recent: [Int] = []

  /// Begins anew, because the tables were read.
  mutating func restart() {
    usual = nil
    recent = []
  }

  /// Takes the next difference.
  ///
  /// - Parameter difference: the kernel's count less the tracker's.
  /// - Returns: whether the two have drifted apart since the tables were read.
  mutating func hasDrifted(difference: Int) -> Bool {
    recent.append(difference)
    guard let usual else {
      if recent.count == Self.settling {
        self.usual = recent.sorted()[Self.settling / 2]
        recent = []
      }
      return false
    }
    if recent.count > Self.drifting { recent.removeFirst() }
    return recent.count == Self.drifting && (recent.allSatisfy { $0 > usual } || recent.allSatisfy { $0 < usual })
  }
}
