import TCPStateKernel
import TCPStateReport

/// Tells of lost events at once, but not a line for each.
struct LossReport {
  private var told: UInt64 = 0
  private var lastTold: UInt64 = 0
  private var lastRead: UInt64 = 0

  mutating func tell(total: UInt64, skipped: UInt64, now urgent: Bool = false) {
    guard total > told else { return }
    let now = KernelClock.monotonic()
    guard urgent || told == 0 || now - lastTold > 1_000_000_000 else { return }
    let cause =
      skipped == total
      ? "interrupts hit the BPF program while it ran"
      : "the buffer was full; try a larger --buffer, or filters"
    Message.line(
      "tcpstate-trace: lost \(NumberText.string(total - told)) events (\(NumberText.string(total)) in all): \(cause)")
    told = total
    lastTold = now
  }

  /// Whether the tables may be read again: once a second, for that isn't free either.
  var mayRead: Bool {
    mutating get {
      let now = KernelClock.monotonic()
      guard now - lastRead > 1_000_000_000 else { return false }
      lastRead = now
      return true
    }
  }
}
