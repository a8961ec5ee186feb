// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Foreign text by its bytes, which need not be UTF-8.
protocol NameBytes {
  var count: Int { get }
  subscript(index: Int) -> UInt8 { get }
}

extension ShortName: NameBytes {}
extension InternedText: NameBytes {}

/// Reads a name as Unicode scalars. Each ill-formed sequence is one element, as the
/// Unicode standard recommends (section 3.9, "U+FFFD substitution of maximal subparts").
struct NameScalars<Name: NameBytes> {
  enum Element {
    case scalar(Unicode.Scalar)
    /// The ill-formed bytes of the name.
    case invalid(Range<Int>)
  }

  private struct Bytes: IteratorProtocol {
    let name: Name
    let count: Int
    var index = 0

    mutating func next() -> UInt8? {
      guard index < count else { return nil }
      defer { index += 1 }
      return name[index]
    }
  }

  private var bytes: Bytes
  private var parser = UTF8.ForwardParser()
  private var position = 0

  init(_ name: Name) {
    bytes = Bytes(name: name, count: name.count)
  }

  mutating func next() -> Element? {
    switch parser.parseScalar(from: &bytes) {
    case .valid(let encoded):
      position += encoded.count
      return .scalar(UTF8.decode(encoded))
    case .error(let length):
      position += length
      return .invalid(position - length..<position)
    case .emptyInput:
      return nil
    }
  }
}
