import TCPStateKernel
import TCPStateReport

/// Tells of lost events at once, but not a line for each.
struct LossReport {
  private var told: UInt64 = 0
  private var lastTold: UInt64 = 0
  private var lastRead: UInt64 = 0

  /// - Parameter isHeldUp: no events are taken over, because too much waits for the output's reader.
  mutating func tell(total: UInt64, skipped: UInt64, isHeldUp: Bool = false, now urgent: Bool = false) {
    guard total > told else { return }
    let now = KernelClock.monotonic()
    guard urgent || told == 0 || now - lastTold > 1_000_000_000 else { return }
    let cause =
      skipped == total
      ? "interrupts hit the BPF program while it ran"
      : isHeldUp
        ? "the output's reader is \(OutputFile.highWater >> 20) MB behind"
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
