// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What the server has done since its start. A value, read from any thread.
public struct WebStatistics: Sendable, Equatable {
  /// Why a connection was ended before it was done.
  public enum Cause: String, CaseIterable, Sendable {
    /// The header, or the TLS handshake, took too long.
    case slowRequest = "slow_request"
    /// The response was read too slowly.
    case slowReader = "slow_reader"
    /// Idle for too long.
    case idle
    /// Idle, and closed to make room for another.
    case evicted
    /// Refused because all places were taken by connections that weren't idle.
    case full
    /// The TLS handshake failed, or what came wasn't TLS.
    case tls
    /// What came wasn't HTTP, or more than a header may have.
    case malformed
  }

  /// Requests for the page of series by status code; the usual ones are there at 0.
  public var scrapes: [(code: Int, count: UInt64)] {
    scrapeCounts.map { (code: $0.key, count: $0.value) }.sorted { $0.code < $1.code }
  }
  /// Connections that were dropped, by cause, with all causes.
  public var droppedConnections: [(cause: String, count: UInt64)] {
    Cause.allCases.map { (cause: $0.rawValue, count: dropCounts[$0] ?? 0) }
  }
  /// Connections open now.
  public internal(set) var openConnections = 0
  /// Whether the newest version of the configuration file is in use.
  public internal(set) var configurationReloadSucceeded = true

  var scrapeCounts: [Int: UInt64] = [200: 0, 401: 0, 405: 0, 429: 0, 503: 0]
  var dropCounts: [Cause: UInt64] = [:]
}

/// Written by the serving thread, read by any.
final class StatisticsBox: Sendable {
  private let value = Mutex(WebStatistics())

  var snapshot: WebStatistics { value.withLock { $0 } }

  func update(_ change: (inout WebStatistics) -> Void) {
    value.withLock { change(&$0) }
  }

  func countDrop(_ cause: WebStatistics.Cause) {
    update { $0.dropCounts[cause, default: 0] += 1 }
  }
}
