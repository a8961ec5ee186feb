// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import TCPStateCore

/// The samples of a page by their series, as written: `tcpstate_connections{state="listen"}`.
struct Samples {
  let values: [String: String]
  let text: String

  init(_ page: [UInt8]) {
    text = String(decoding: page, as: UTF8.self)
    var values: [String: String] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " ") else { continue }
      let series = String(line[..<space])
      precondition(values[series] == nil, "\(series) is there twice")
      values[series] = String(line[line.index(after: space)...])
    }
    self.values = values
  }

  subscript(_ series: String) -> String? { values[series] }

  /// Series of one family, with their labels.
  func series(of name: String) -> [String] { values.keys.filter { $0 == name || $0.hasPrefix(name + "{") }.sorted() }
}

extension ExporterMetrics {
  /// The page in text format.
  func samples(_ vitals: ExporterVitals = ExporterVitals()) -> Samples { Samples(page(vitals).text) }
}

extension Transition {
  init(_ old: TCPState, _ new: TCPState, stay: UInt64? = nil, role: Role = .client, reason: Reason? = nil) {
    self.init()
    (self.old, self.new, self.role, self.reason) = (old, new, role, reason)
    self.stay = stay.map { Stay(nanoseconds: $0, kind: .exact) }
  }
}

extension StuckSocket {
  /// A socket of processes with these names.
  init(
    _ connection: UInt64, _ state: TCPState = .closeWait, age: UInt64?, processes: [String], cgroup: UInt64? = nil,
    verdict: Verdict = .held
  ) {
    self.init(connection: connection, state: state)
    self.age = age.map { Stay(nanoseconds: $0, kind: .atLeast) }
    self.cgroup = cgroup
    self.verdict = verdict
    holders = processes.enumerated().map {
      SocketHolder(pid: UInt32($0 + 1), name: ShortName($1), descriptor: 3, kind: .holder)
    }
  }
}

extension StuckListener {
  init(_ process: String, port: UInt16, accept: UInt32, limit: UInt32, requests: UInt32 = 0) {
    self.init(
      local: Endpoint(address: .unspecified, port: port),
      holders: [SocketHolder(pid: 1, name: ShortName(process), descriptor: 3)], acceptQueue: accept,
      acceptQueueLimit: limit, requestQueue: requests)
  }
}

let second: UInt64 = 1_000_000_000
