// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// Words without a dash: what people type first, in the ways of `ss`, `tcpdump` and `htop`.
///
/// Words of one kind widen each other (two states: either), words of different kinds narrow (a process and a port: both).
struct FilterWords {
  /// Which end of a connection a word is about.
  private enum End {
    case either, local, peer
  }

  private(set) var recordings: [String] = []
  private var ports: [End: PortSet] = [:]
  private var networks: [End: [Network]] = [:]
  private var states: Set<TCPState> = []
  private var processes: [String] = []

  private var end = End.either
  /// What the word before has announced, such as `port` or `state`.
  private var expected: String?

  /// - Throws: `Failure` for words that are no filter: a misspelled subcommand, a keyword without its value.
  init(_ words: [String]) throws(Failure) {
    for word in words { try add(word) }
    if let expected { throw Failure(.usage, "'\(expected)' needs a value after it") }
  }

  /// Whether any of the words is a filter.
  var isFilter: Bool { !(ports.isEmpty && networks.isEmpty && states.isEmpty && processes.isEmpty) }

  func narrow(_ filter: inout RowFilter) {
    for (end, ports) in ports {
      filter.add(ports, to: end == .local ? \.localPorts : end == .peer ? \.peerPorts : \.eitherPorts)
    }
    for (end, networks) in networks {
      switch end {
      case .either: filter.eitherNetworks += networks
      case .local: filter.localNetworks += networks
      case .peer: filter.peerNetworks += networks
      }
    }
    filter.states.formUnion(states)
    filter.processes.formUnion(processes.map { ShortName(bytes: $0.utf8.prefix(15)) })
  }

  // MARK: - One word

  private mutating func add(_ word: String) throws(Failure) {
    if let expected, Self.fillers.contains(word) || word == expected { return }
    if expected == nil || ["src", "dst", "local", "peer"].contains(expected), takeKeyword(word) { return }
    defer { (end, expected) = (.either, nil) }
    let announced = expected
    if try takePorts(word, announced) || takeNetworks(word, announced) || takeStates(word, announced) { return }
    if let announced, announced != "process" {
      let wanted = Self.isEnd(announced) ? "port, address or network" : announced == "state" ? "TCP state" : announced
      throw Failure(.usage, "'\(Message.printable(word))' after '\(announced)' is no \(wanted)")
    }
    if announced == nil {
      guard !Self.operators.contains(word) else {
        throw Failure(
          .usage,
          "'\(word)' isn't understood: words of one kind widen (443 80), words of different kinds narrow (nginx 443)")
      }
      if Self.isRecording(word) { return recordings.append(word) }
      if let near = Subcommands.near(word) {
        throw Failure(
          .usage,
          "there is no command '\(Message.printable(word))'; did you mean '\(near)'? A process of that name is --process \(Message.printable(word))"
        )
      }
    }
    guard !word.isEmpty else { throw Failure(.usage, "a filter is empty") }
    guard Message.printable(word) == word else {
      throw Failure(.usage, "'\(Message.printable(word))' is no filter; --process takes any name")
    }
    processes.append(word)
  }

  /// Between a keyword and its value; `ss` writes `sport = :443`.
  private static let fillers: Set<String> = ["=", "==", "eq", "is"]
  private static let operators: Set<String> = ["or", "||", "|", "not", "!", "(", ")", "!=", ">", "<", ">=", "<="]

  /// Keywords of `ss` and of capture filters. As in `ss`, `src` is the local end and `dst` the peer's.
  private mutating func takeKeyword(_ word: String) -> Bool {
    switch word {
    case "tcp", "and", "&&": return true
    case "src", "local": (end, expected) = (.local, word)
    case "dst", "peer", "remote": (end, expected) = (.peer, word)
    case "sport", "lport": (end, expected) = (.local, "port")
    case "dport", "rport": (end, expected) = (.peer, "port")
    case "port", "ports", "portrange": expected = "port"
    case "host", "net", "addr": expected = "address"
    case "state": expected = "state"
    case "process", "comm": expected = "process"
    default: return false
    }
    return true
  }

  private mutating func takePorts(_ word: String, _ announced: String?) throws(Failure) -> Bool {
    guard announced == nil || announced == "port" || Self.isEnd(announced) else { return false }
    let text = word.hasPrefix("*:") ? String(word.dropFirst(2)) : word.hasPrefix(":") ? String(word.dropFirst()) : word
    if let set = try? PortSet(parsing: text) {
      merge(set)
      return true
    }
    guard text.isEmpty || !text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
      throw Failure(.usage, "'\(word)' is not a port from 1 to 65535")
    }
    guard let port = ServiceNames.port(text) else { return false }
    var set = PortSet()
    set.insert(port...port)
    merge(set)
    return true
  }

  private mutating func merge(_ set: PortSet) {
    var all = ports[end] ?? PortSet()
    all.formUnion(set)
    ports[end] = all
  }

  private mutating func takeNetworks(_ word: String, _ announced: String?) -> Bool {
    guard announced == nil || announced == "address" || Self.isEnd(announced) else { return false }
    var found: [Network] = []
    for part in word.split(separator: ",", omittingEmptySubsequences: false) {
      // [2001:db8::1] as in a URL.
      let bare = part.hasPrefix("[") && part.hasSuffix("]") ? part.dropFirst().dropLast() : part
      guard let network = Network(parsing: bare) else { return false }
      found.append(network)
    }
    networks[end, default: []] += found
    return true
  }

  private mutating func takeStates(_ word: String, _ announced: String?) -> Bool {
    guard announced == nil || announced == "state" else { return false }
    var found: Set<TCPState> = []
    for part in word.split(separator: ",", omittingEmptySubsequences: false) {
      guard let states = TCPState.states(parsing: part) else { return false }
      found.formUnion(states)
    }
    states.formUnion(found)
    return true
  }

  private static func isEnd(_ word: String?) -> Bool { ["src", "dst", "local", "peer", "remote"].contains(word) }

  /// A process's name has no slash, and hardly such an ending.
  private static func isRecording(_ word: String) -> Bool {
    word.contains("/") || [".csv", ".jsonl", ".json", ".txt", ".gz", ".zst"].contains { word.hasSuffix($0) }
  }
}

extension RowFilter {
  /// Widens a set of ports.
  mutating func add(_ ports: PortSet, to path: WritableKeyPath<RowFilter, PortSet?>) {
    var all = self[keyPath: path] ?? PortSet()
    all.formUnion(ports)
    self[keyPath: path] = all
  }
}
