// SPDX-License-Identifier: Apache-2.0
import CYAML

/// A node of a YAML document, with the line it begins in.
///
/// libyaml parses. Yams, its wrapper for Swift, needs Foundation, which is four times the size of the rest of the program.
struct YAMLNode {
  enum Value {
    /// isPlain: without quotes, so `true`, `null` and numbers have their meaning.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([(key: YAMLNode, value: YAMLNode)])
  }

  var value: Value
  /// From 1.
  var line: Int

  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = value else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }
}

/// A place in a file and what is wrong there.
package struct YAMLFault: Error, Equatable {
  package var line: Int
  package var message: String
}

/// Builds the nodes of one document from libyaml's events. Anchors and aliases work; merge keys don't.
struct YAMLParser: ~Copyable {
  /// Deeper nesting is refused, because composing recurses.
  static let maximumDepth = 32

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private var anchors: [String: YAMLNode] = [:]

  /// The nodes of `bytes`; nil if there is no document, as in an empty file.
  static func document(_ bytes: [UInt8]) throws(YAMLFault) -> YAMLNode? {
    try bytes.withUnsafeBufferPointer { buffer throws(YAMLFault) in
      var parser = try YAMLParser(buffer)
      return try parser.document()
    }
  }

  /// `bytes` are borrowed until the parser goes out of scope.
  private init(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLFault) {
    parser = .allocate(capacity: 1)
    guard yaml_parser_initialize(parser) == 1 else {
      parser.deallocate()
      throw YAMLFault(line: 1, message: "no memory to parse it")
    }
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  private struct Event {
    var kind: yaml_event_type_t
    var line: Int
    var text = ""
    var isPlain = false
    var anchor: String?
  }

  private func next() throws(YAMLFault) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else {
      let mark = parser.pointee.problem_mark
      let problem = parser.pointee.problem.map { String(cString: $0) } ?? "it isn't YAML"
      throw YAMLFault(line: Int(mark.line) + 1, message: problem)
    }
    defer { yaml_event_delete(&event) }
    var result = Event(kind: event.type, line: Int(event.start_mark.line) + 1)
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      result.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      result.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      result.anchor = Self.name(scalar.anchor)
    case YAML_SEQUENCE_START_EVENT: result.anchor = Self.name(event.data.sequence_start.anchor)
    case YAML_MAPPING_START_EVENT: result.anchor = Self.name(event.data.mapping_start.anchor)
    case YAML_ALIAS_EVENT: result.anchor = Self.name(event.data.alias.anchor)
    default: break
    }
    return result
  }

  private static func name(_ anchor: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    anchor.map { String(cString: $0) }
  }

  private mutating func document() throws(YAMLFault) -> YAMLNode? {
    var root: YAMLNode?
    while true {
      let event = try next()
      switch event.kind {
      case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
      case YAML_STREAM_END_EVENT: return root
      case YAML_DOCUMENT_START_EVENT:
        guard root == nil else { throw YAMLFault(line: event.line, message: "a second document begins") }
      default: root = try node(event, depth: 0)
      }
    }
  }

  private mutating func node(_ event: Event, depth: Int) throws(YAMLFault) -> YAMLNode {
    guard depth < Self.maximumDepth else {
      throw YAMLFault(line: event.line, message: "nested deeper than \(Self.maximumDepth) levels")
    }
    let result: YAMLNode
    switch event.kind {
    case YAML_ALIAS_EVENT:
      guard let node = event.anchor.flatMap({ anchors[$0] }) else {
        throw YAMLFault(line: event.line, message: "the anchor *\(event.anchor ?? "") isn't defined")
      }
      return node
    case YAML_SCALAR_EVENT:
      result = YAMLNode(value: .scalar(event.text, isPlain: event.isPlain), line: event.line)
    case YAML_SEQUENCE_START_EVENT:
      var items: [YAMLNode] = []
      while true {
        let item = try next()
        if item.kind == YAML_SEQUENCE_END_EVENT { break }
        items.append(try node(item, depth: depth + 1))
      }
      result = YAMLNode(value: .sequence(items), line: event.line)
    case YAML_MAPPING_START_EVENT:
      var pairs: [(key: YAMLNode, value: YAMLNode)] = []
      while true {
        let key = try next()
        if key.kind == YAML_MAPPING_END_EVENT { break }
        let keyNode = try node(key, depth: depth + 1)
        pairs.append((key: keyNode, value: try node(try next(), depth: depth + 1)))
      }
      result = YAMLNode(value: .mapping(pairs), line: event.line)
    default:
      throw YAMLFault(line: event.line, message: "a value is missing")
    }
    if let anchor = event.anchor { anchors[anchor] = result }
    return result
  }
}
