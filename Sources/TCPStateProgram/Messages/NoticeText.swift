// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel
import TCPStateLive
import TCPStateReport

/// What people read of a stream's notices.
public enum NoticeText {
  /// Bytes by which an output's reader may be behind before events are left in the ring buffer.
  public static let mostWaiting = 256 * 1024 * 1024

  public static func string(_ notice: LiveNotice) -> String {
    switch notice {
    case .eventsLost(let count, let total, let cause):
      "lost \(NumberText.string(count)) events (\(NumberText.string(total)) in all): \(string(cause))"
    case .connectionLimitReached(let limit):
      "\(NumberText.string(UInt64(limit))) connections are tracked, the most that --max-connections allows; "
        + "ends of TIME-WAIT, half-open requests, and durations of new connections may be missing"
    case .clockSet(let change):
      "the clock was set \(DurationText.string(change.magnitude)) \(change > 0 ? "forward" : "back"); "
        + "times follow it from here on, durations are not affected"
    case .namespacesOutOfReach(let missing):
      "without \(missing.name) \(missing.loss); TIME-WAIT, half-open and orphaned sockets of others aren't seen"
    case .confined(let surroundings, let hides): string(surroundings, hidesNamespaces: hides)
    case .namespacesUnreached(let count):
      count == 1
        ? "a network namespace of which there are sockets wasn't found; its TIME-WAIT, half-open, orphaned and unaccepted "
          + "sockets aren't seen"
        : "\(NumberText.string(UInt64(count))) network namespaces of which there are sockets weren't found; their TIME-WAIT, "
          + "half-open, orphaned and unaccepted sockets aren't seen"
    case .attachmentFailed(let attachment): attachment.description
    case .capabilitiesKept(let error): error.description
    }
  }

  /// What this process's namespaces hide.
  private static func string(_ surroundings: Surroundings, hidesNamespaces: Bool) -> String {
    let limits = surroundings.limits
    var parts: [String] = []
    for limit: Surroundings.Limit in [.noProc, .processesOutside, .processesUnknown] where limits.contains(limit) {
      parts.append(limit.meaning)
    }
    if hidesNamespaces {
      let limit: Surroundings.Limit = limits.contains(.noProc) ? .noProc : .processesOutside
      parts.append(
        "TIME-WAIT, half-open, orphaned and unaccepted sockets of other network namespaces may be missing; "
          + limit.remedy)
    }
    for limit: Surroundings.Limit in [.clockUnknown, .cgroupsOutside] where limits.contains(limit) {
      parts.append(limit.meaning)
    }
    return parts.joined(separator: "; ")
  }

  private static func string(_ cause: LossCause) -> String {
    switch cause {
    case .interrupted: "interrupts hit the BPF program while it ran"
    case .heldUp: "the output's reader is \(mostWaiting >> 20) MB behind"
    case .bufferFull: "the buffer was full; try a larger --buffer, or filters"
    }
  }

  /// What this kernel, or this way of attaching, can't give.
  public static func shortfall(_ source: KernelSource) -> String? {
    guard let shortfall = source.shortfall else { return nil }
    let what = source.attachment == .btf ? "This kernel" : "The classic tracepoint"
    return "\(what) gives less: \(shortfall)."
  }
}
