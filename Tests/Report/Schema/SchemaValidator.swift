// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Validates JSON against the keywords of JSON Schema (draft 2020-12) that our schemas use; any other is refused.
struct SchemaValidator {
  private let schema: [String: Any]

  init(_ text: String) throws {
    guard let schema = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
      throw TestFailure("the schema isn't an object")
    }
    self.schema = schema
  }

  /// - Returns: where and why `json` is invalid; empty if it is valid.
  func faults(_ json: some StringProtocol) throws -> [String] {
    var faults: [String] = []
    try check(JSONSerialization.jsonObject(with: Data(json.utf8)), schema, "", &faults)
    return faults
  }

  private static let annotations: Set = ["$schema", "title", "description"]

  private func check(_ value: Any, _ schema: [String: Any], _ path: String, _ faults: inout [String]) throws {
    for (keyword, rule) in schema where !Self.annotations.contains(keyword) {
      guard let isMet = try holds(keyword, rule, of: value, in: schema, path, &faults) else {
        throw TestFailure("the keyword \(keyword) is not one of these")
      }
      if !isMet { faults.append("\(path): \(value) breaks \(keyword) \(rule)") }
    }
  }

  /// - Returns: `nil` for an unknown keyword.
  private func holds(
    _ keyword: String, _ rule: Any, of value: Any, in schema: [String: Any], _ path: String, _ faults: inout [String]
  ) throws -> Bool? {
    switch keyword {
    case "type": return Self.type(of: value) == rule as? String
    case "enum": return (rule as? [String])?.contains { $0 == value as? String } == true
    case "const": return (value as? NSNumber) == (rule as? NSNumber)
    case "pattern": return try Self.matches(value, rule)
    case "format": return Self.hasFormat(value as? String ?? "", rule as? String ?? "")
    case "minLength": return (value as? String).map { $0.unicodeScalars.count } ?? 0 >= rule as? Int ?? .max
    case "minimum": return (value as? NSNumber)?.doubleValue ?? -1 >= (rule as? NSNumber)?.doubleValue ?? .infinity
    case "maximum": return (value as? NSNumber)?.doubleValue ?? .infinity <= (rule as? NSNumber)?.doubleValue ?? 0
    case "minItems": return (value as? [Any])?.count ?? 0 >= rule as? Int ?? .max
    case "required": return (rule as? [String])?.allSatisfy { (value as? [String: Any])?[$0] != nil } == true
    case "anyOf":
      return try (rule as? [[String: Any]])?.contains { choice in
        var ignored: [String] = []
        try check(value, choice, path, &ignored)
        return ignored.isEmpty
      }
    case "items":
      guard let items = value as? [Any], let each = rule as? [String: Any] else { return false }
      for (index, item) in items.enumerated() { try check(item, each, "\(path)/\(index)", &faults) }
      return true
    case "properties": return try checkMembers(value, rule, path, &faults)
    case "additionalProperties":
      guard rule as? Bool == false, let known = schema["properties"] as? [String: Any] else { return nil }
      return (value as? [String: Any])?.keys.allSatisfy { known[$0] != nil } == true
    default: return nil
    }
  }

  private func checkMembers(_ value: Any, _ rule: Any, _ path: String, _ faults: inout [String]) throws -> Bool {
    guard let members = value as? [String: Any], let rules = rule as? [String: [String: Any]] else { return false }
    for (name, member) in members {
      if let rule = rules[name] { try check(member, rule, "\(path)/\(name)", &faults) }
    }
    return true
  }

  private static func type(of value: Any) -> String {
    switch value {
    case is String: "string"
    case let number as NSNumber where String(cString: number.objCType) == "c": "boolean"
    case let number as NSNumber: number.doubleValue == number.doubleValue.rounded() ? "integer" : "number"
    case is [Any]: "array"
    case is [String: Any]: "object"
    default: "null"
    }
  }

  private static func matches(_ value: Any, _ pattern: Any) throws -> Bool {
    guard let text = value as? String, let pattern = pattern as? String else { return false }
    return try text.contains(Regex(pattern))
  }

  private static func hasFormat(_ text: String, _ format: String) -> Bool {
    var bytes = in6_addr()
    return switch format {
    case "ipv4": inet_pton(AF_INET, text, &bytes) == 1
    case "ipv6": inet_pton(AF_INET6, text, &bytes) == 1
    case "date-time": text.count == 30 && text.hasSuffix("Z")
    default: false
    }
  }
}
