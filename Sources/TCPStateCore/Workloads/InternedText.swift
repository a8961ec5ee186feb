// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Foreign text that is stored once for the whole process, and copied and compared as a number: the name of a container,
/// a pod or a unit. Any bytes, not necessarily UTF-8.
///
/// The text is never freed, so a row may refer to it without owning it. What is stored in all is bounded; beyond that a
/// new text is empty, which is unknown.
public struct InternedText: Hashable, Sendable, BitwiseCopyable {
  /// The most bytes of one text; the rest is cut off. A pod's name has up to 253, a unit's up to 255.
  public static let longest = 255

  /// Its place among all texts; 0 is the empty one.
  private let index: UInt32

  /// The empty text: unknown.
  public init() { index = 0 }

  fileprivate init(index: UInt32) { self.index = index }

  public init(_ text: some StringProtocol) {
    var text = String(text)
    self = text.withUTF8 { Self(bytes: $0) }
  }

  public init(bytes: UnsafeBufferPointer<UInt8>) {
    self = InternedTexts.shared.intern(UnsafeBufferPointer(rebasing: bytes.prefix(Self.longest)))
  }

  public var isEmpty: Bool { index == 0 }

  /// The bytes, which stay where they are.
  public var bytes: UnsafeBufferPointer<UInt8> { InternedTexts.shared.bytes(index) }

  public var count: Int { bytes.count }

  /// The byte at `index`, which must be below `count`.
  public subscript(index: Int) -> UInt8 { bytes[index] }

  /// Whether every byte is printable ASCII and none is a comma, a quote or a backslash: such text is the same in every
  /// format.
  public var isPlain: Bool {
    bytes.allSatisfy { (0x20..<0x7f).contains($0) && $0 != 0x22 && $0 != 0x2c && $0 != 0x5c }
  }

  /// A number that few other texts share.
  var mixed: UInt64 { UInt64(index) &* 0x9e37_79b9_7f4a_7c15 }
}

extension InternedText: CustomStringConvertible {
  /// The text, with invalid UTF-8 replaced.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// All interned texts of the process.
///
/// `@unchecked Sendable`: a text is written once, under the lock, before its index is handed out; a thread that has the
/// index was given it by one that saw it written.
private final class InternedTexts: @unchecked Sendable {
  static let shared = InternedTexts()

  /// The most texts, and the most bytes of all of them.
  private static let limit = 1 << 20
  private static let byteLimit = 64 << 20

  private struct Index {
    /// Open addressing: places of texts, 0 is free. Its size is a power of two.
    var slots = [UInt32](repeating: 0, count: 256)
    var count = 1
    var byteCount = 0
  }

  private let index = Mutex(Index())
  /// By place. The pages of those that aren't used are never touched.
  private let texts = UnsafeMutablePointer<UnsafeBufferPointer<UInt8>>.allocate(capacity: limit)

  private init() {
    texts.initialize(to: UnsafeBufferPointer(start: nil, count: 0))
  }

  func bytes(_ place: UInt32) -> UnsafeBufferPointer<UInt8> { texts[Int(place)] }

  func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> InternedText {
    guard !bytes.isEmpty else { return InternedText() }
    return index.withLock { index in
      if index.count * 2 > index.slots.count { grow(&index) }
      let slot = slot(of: bytes, in: index)
      if index.slots[slot] != 0 { return InternedText(index: index.slots[slot]) }
      guard index.count < Self.limit, index.byteCount + bytes.count <= Self.byteLimit else { return InternedText() }
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
      _ = copy.initialize(from: bytes)
      (texts + index.count).initialize(to: UnsafeBufferPointer(copy))
      index.slots[slot] = UInt32(index.count)
      index.count += 1
      index.byteCount += bytes.count
      return InternedText(index: index.slots[slot])
    }
  }

  /// Where the text is, or where it belongs.
  private func slot(of bytes: UnsafeBufferPointer<UInt8>, in index: borrowing Index) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    var slot = hasher.finalize() & (index.slots.count - 1)
    while index.slots[slot] != 0, !self.bytes(index.slots[slot]).elementsEqual(bytes) {
      slot = (slot + 1) & (index.slots.count - 1)
    }
    return slot
  }

  private func grow(_ index: inout Index) {
    index.slots = [UInt32](repeating: 0, count: index.slots.count * 2)
    for place in 1..<index.count {
      let slot = slot(of: bytes(UInt32(place)), in: index)
      index.slots[slot] = UInt32(place)
    }
  }
}
