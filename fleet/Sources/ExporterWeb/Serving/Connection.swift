// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// One client's connection, as the table of connections sees it. Used on the event loop.
final class Connection {
  enum Phase {
    /// The TLS handshake and the first request's header.
    case opening
    /// Between two requests.
    case idle
    /// A part of a later request's header is here.
    case reading
    /// A request is being answered.
    case answering
    /// The last response is sent; what still comes is dropped.
    case lingering
  }

  let channel: any Channel
  /// The client's address without its port.
  let peer: String
  /// Of the configuration that it was opened under.
  let generation: Int
  private(set) var phase = Phase.opening
  private(set) var since: NIODeadline
  private(set) var deadline: NIODeadline
  /// Whether a page of series is being sent.
  var isScraping = false
  private let limits: WebLimits

  init(channel: any Channel, peer: String, generation: Int, limits: WebLimits) {
    self.channel = channel
    self.peer = peer
    self.generation = generation
    self.limits = limits
    since = .now()
    deadline = since + TimeAmount(limits.readTime)
  }

  func enter(_ next: Phase) {
    phase = next
    isScraping = false
    since = .now()
    let allowed =
      switch next {
      case .opening, .reading: limits.readTime
      case .idle: limits.idleTime
      case .answering: limits.writeTime
      case .lingering: limits.lingerTime
      }
    deadline = since + TimeAmount(allowed)
  }

  /// Whether it may be closed to make room.
  var isIdle: Bool { phase != .answering }

  /// What it means that the deadline has passed; nil if that's no fault of the client.
  var lateness: WebStatistics.Cause? {
    switch phase {
    case .opening, .reading: .slowRequest
    case .idle: .idle
    case .answering: .slowReader
    case .lingering: nil
    }
  }
}
