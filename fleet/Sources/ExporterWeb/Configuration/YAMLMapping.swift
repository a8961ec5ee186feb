// SPDX-License-Identifier: Apache-2.0

/// A mapping whose keys are taken one after the other, so that at the end an unknown one is noticed.
struct YAMLMapping {
  private var entries: [String: (node: YAMLNode, line: Int)] = [:]
  private var known: [String] = []
  private let name: String
  let line: Int

  /// name: what messages call the mapping, such as `tls_server_config`.
  init(_ node: YAMLNode, name: String) throws(YAMLFault) {
    self.name = name
    line = node.line
    guard !node.isNull else { return }
    guard case .mapping(let pairs) = node.value else {
      throw YAMLFault(line: node.line, message: "\(name) must be a mapping of keys to values")
    }
    for pair in pairs {
      guard case .scalar(let key, _) = pair.key.value else {
        throw YAMLFault(line: pair.key.line, message: "a key of \(name) must be a word")
      }
      guard entries.updateValue((pair.value, pair.key.line), forKey: key) == nil else {
        throw YAMLFault(line: pair.key.line, message: "\(name) has the key \(key) twice")
      }
    }
  }

  /// The value of a key; nil if it is missing or null.
  mutating func take(_ key: String) -> YAMLNode? {
    known.append(key)
    guard let entry = entries.removeValue(forKey: key), !entry.node.isNull else { return nil }
    return entry.node
  }

  mutating func string(_ key: String) throws(YAMLFault) -> (text: String, line: Int)? {
    guard let node = take(key) else { return nil }
    guard case .scalar(let text, _) = node.value else {
      throw YAMLFault(line: node.line, message: "\(key) must be a single value")
    }
    return (text, node.line)
  }

  mutating func boolean(_ key: String) throws(YAMLFault) -> (value: Bool, line: Int)? {
    guard let node = take(key) else { return nil }
    if case .scalar(let text, isPlain: true) = node.value {
      if ["true", "True", "TRUE"].contains(text) { return (true, node.line) }
      if ["false", "False", "FALSE"].contains(text) { return (false, node.line) }
    }
    throw YAMLFault(line: node.line, message: "\(key) must be true or false")
  }

  mutating func strings(_ key: String) throws(YAMLFault) -> [(text: String, line: Int)] {
    guard let node = take(key) else { return [] }
    guard case .sequence(let items) = node.value else {
      throw YAMLFault(line: node.line, message: "\(key) must be a list")
    }
    var result: [(text: String, line: Int)] = []
    for item in items {
      guard case .scalar(let text, _) = item.value else {
        throw YAMLFault(line: item.line, message: "an item of \(key) must be a single value")
      }
      result.append((text, item.line))
    }
    return result
  }

  /// All that is left, in the order of the lines, for mappings whose keys are free.
  mutating func rest() -> [(key: String, node: YAMLNode, line: Int)] {
    defer { entries = [:] }
    return entries.map { (key: $0.key, node: $0.value.node, line: $0.value.line) }.sorted {
      ($0.line, $0.key) < ($1.line, $1.key)
    }
  }

  /// Fails if a key is left.
  mutating func finish() throws(YAMLFault) {
    let known = known.joined(separator: ", ")
    guard let first = rest().first else { return }
    throw YAMLFault(line: first.line, message: "\(name) has no key '\(first.key)'; the keys are \(known)")
  }
}
