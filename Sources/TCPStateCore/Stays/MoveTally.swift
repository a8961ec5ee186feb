// SPDX-License-Identifier: Apache-2.0

/// How often sockets went from each state to each other one, and how long they had been in the old one.
public struct MoveTally: ~Copyable {
  /// One move.
  private struct Entry {
    var count: UInt64 = 0
    /// The stays that ended with it, of which some may be unknown.
    var stays: StayCell?
  }

  /// By the old state's number, then the new one's.
  private var entries = [Entry](repeating: Entry(), count: TCPState.arraySize * TCPState.arraySize)
  /// Moves from or to a state that isn't in the table.
  public private(set) var unknown: UInt64 = 0

  public init() {}

  /// Counts a move.
  ///
  /// - Parameter stay: how long the socket was in the old state; `nil` if that isn't known.
  public mutating func record(_ move: Move, _ stay: Stay?) {
    guard move.old.isKnown, move.new.isKnown else {
      unknown += 1
      return
    }
    let place = Self.place(of: move)
    entries[place].count += 1
    guard let stay else { return }
    let stays = entries[place].stays ?? StayCell()
    entries[place].stays = stays
    stays.record(stay)
  }

  /// How often it was made.
  public func count(of move: Move) -> UInt64 {
    move.old.isKnown && move.new.isKnown ? entries[Self.place(of: move)].count : 0
  }

  /// The stays in the old state that ended with it; `nil` if none is known.
  public func stays(before move: Move) -> StayCell? {
    move.old.isKnown && move.new.isKnown ? entries[Self.place(of: move)].stays : nil
  }

  /// Those that were made, by old state, then new state, in the order of `TCPState.all`.
  public var moves: [Move] {
    var moves: [Move] = []
    for old in TCPState.all {
      for new in TCPState.all where count(of: Move(old, new)) > 0 { moves.append(Move(old, new)) }
    }
    return moves
  }

  /// Adds the moves of another tally. The order of merging makes no difference.
  public mutating func merge(_ other: borrowing MoveTally) {
    unknown += other.unknown
    for (place, entry) in other.entries.enumerated() where entry.count > 0 {
      entries[place].count += entry.count
      guard let stays = entry.stays else { continue }
      // Of its own, because the other tally goes on counting.
      let sum = entries[place].stays ?? StayCell()
      sum.merge(stays)
      entries[place].stays = sum
    }
  }

  private static func place(of move: Move) -> Int {
    Int(move.old.number) * TCPState.arraySize + Int(move.new.number)
  }
}
