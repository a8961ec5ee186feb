// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel

/// Something that limits what a `LiveStream` can show, or has changed it.
///
/// Facts, not text: the program that traces decides how to report them.
public enum LiveNotice: Sendable {
  /// `count` events were lost since the last notice of a loss, `total` since the start.
  case eventsLost(count: UInt64, total: UInt64, cause: LossCause)
  /// As many connections are tracked as the configuration allows. Ends of TIME-WAIT, half-open requests and the
  /// durations of new connections may be missing from here on.
  case connectionLimitReached(Int)
  /// CLOCK_REALTIME was set by so many nanoseconds. Times follow it; durations are not affected.
  case clockSet(nanoseconds: Int64)
  /// Without this capability the tables of other network namespaces can't be read.
  case namespacesOutOfReach(missing: Capability)
  /// This process's own namespaces limit what it can see.
  case confined(Surroundings, hidesNamespaces: Bool)
  /// The tables of so many network namespaces, of which there are sockets, couldn't be read.
  case namespacesUnreached(count: Int)
  /// A tracepoint that adds to the transitions could not be attached to; what it adds is missing.
  case attachmentFailed(FailedAttachment)
  /// Capabilities that are no longer needed could not be given up.
  case capabilitiesKept(KernelError)

  /// Whether it holds for as long as the stream runs; otherwise it reports something that happened once.
  public var isLasting: Bool {
    switch self {
    case .connectionLimitReached, .namespacesOutOfReach, .attachmentFailed, .capabilitiesKept, .confined,
      .namespacesUnreached:
      true
    case .eventsLost, .clockSet: false
    }
  }
}

/// Why events were lost.
public enum LossCause: Sendable {
  /// The ring buffer had no room: the consumer was too slow for the events.
  case bufferFull
  /// The caller left events in the ring buffer (`LiveStream.Turn.heldUp`) until it was full.
  case heldUp
  /// An interrupt hit the BPF program while it ran, and the kernel skipped the nested run.
  case interrupted
}
