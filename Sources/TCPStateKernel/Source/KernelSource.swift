import CLibbpf
import CTCPStateEvent
import CVerbose
import Glibc
import TCPStateCore

/// The live source: the BPF programs, loaded and attached, their events in
/// order, and the sockets that the kernel's tables hold.
///
/// One thread uses it. Everything attached goes away with this value.
public final class KernelSource {
  public typealias Attachment = KernelAttachment
  public typealias Configuration = KernelConfiguration
  public typealias SnapshotBody = SnapshotReceiver

  public let attachment: Attachment
  /// What can't be had in this way on this kernel, for people; `nil` when nothing is missing.
  public let shortfall: String?
  /// What `attach()` couldn't attach; what `shortfall` names isn't repeated here.
  public private(set) var failedAttachments: [FailedAttachment] = []
  let isPlain: Bool
  private let object: BPFObject
  private var ring: RingBuffer
  private let iterator: SocketIterator
  private let queue: EventQueue
  /// What there was for namespaces at the start: CAP_SYS_ADMIN to enter them, CAP_SYS_PTRACE to find them.
  let namespaceRights: CapabilitySet
  /// The only one that is wanted; `nil`: all.
  let netns: UInt32?
  private var transitionLink: BPFLink?
  private var otherLinks: [BPFLink] = []
  private var lostSeen: UInt32 = 0
  private var skipsReported: UInt64 = 0

  /// Loads the programs; nothing is attached yet.
  public init(_ configuration: Configuration) throws(KernelError) {
    libbpf_set_strict_mode(LIBBPF_STRICT_ALL)
    tcpstate_print_messages(configuration.verbose ? 1 : 0)
    guard access("/sys/kernel/btf/vmlinux", R_OK) == 0 else {
      throw KernelError(
        .unsupported, "trace on this kernel", cause: "it has no type information (/sys/kernel/btf/vmlinux)",
        hint: "a kernel built with CONFIG_DEBUG_INFO_BTF=y is needed, as distributions since 2021 have")
    }
    let image = Base64.decode(EmbeddedObject.base64)
    defer { image.deallocate() }
    let object = try LargePages.during { () throws(KernelError) -> BPFObject in
      try Self.load(image, configuration)
    }
    attachment = object.programs.contains(.transitionClassic) ? .classic : .btf
    shortfall = object.plan.shortfall
    isPlain = object.plan.isPlain
    queue = EventQueue()
    ring = try RingBuffer(map: object.map("events"), size: object.ringBytes, queue: queue)
    namespaceRights = Capabilities.permitted.intersection([.sysAdmin, .sysPtrace])
    netns = configuration.filter.netns
    iterator = try SocketIterator(object, seesAllNamespaces: namespaceRights.contains(.sysPtrace))
    self.object = object
  }

  // MARK: - Events

  /// Attaches: from the return on every transition is caught.
  public func attach() throws(KernelError) {
    guard let link = bpf_program__attach(object.program(object.plan.main)) else {
      let code = errno
      if attachment == .classic, access("/sys/kernel/tracing/events/sock/inet_sock_set_state/id", R_OK) != 0 {
        throw KernelError(
          .unsupported, "attach to the tracepoint sock:inet_sock_set_state",
          cause: "its id can't be read from /sys/kernel/tracing",
          hint: "mount it: mount -t tracefs tracefs /sys/kernel/tracing")
      }
      throw KernelError("attach to the tracepoint sock:inet_sock_set_state", errno: code)
    }
    transitionLink = BPFLink(taking: link)
    object.shared.setAttached(at: KernelClock.monotonic())
    failedAttachments = []
    // Those that the kernel doesn't have weren't loaded; `shortfall` names them.
    for other in object.programs.subtracting(object.plan.main).descriptions {
      guard let tracepoint = other.tracepoint else { continue }
      if let link = bpf_program__attach(object.program(other.program)) {
        otherLinks.append(BPFLink(taking: link))
      } else {
        failedAttachments.append(FailedAttachment(tracepoint: tracepoint, code: errno, loss: other.loss))
      }
    }
  }

  /// Detaches: what happened until now can still be consumed.
  public func detach() {
    otherLinks = []  // first: the stand-in alone would take all for skipped
    transitionLink = nil
  }

  /// Becomes readable when there is much to consume; else consume by a timer. To be
  /// watched for edges: something is always held back.
  public var descriptor: Int32 { ring.descriptor }

  /// How far events have come by now, for `consume(until:)`.
  public var position: UInt64 { ring.written }

  /// Takes some events over from the ring buffer, and gives back the room of
  /// those that were handed on before.
  ///
  /// - Parameter position: taken before; events that come later are left.
  /// - Returns: whether there are more at once.
  public func consume(until position: UInt64) -> Bool {
    let more = ring.consume(until: position)
    if !more { object.shared.clearWake() }
    return more
  }

  /// Whether the ring buffer holds something that hasn't been taken over.
  public var hasUnread: Bool { ring.hasUnread }

  /// The oldest event from `limit` (CLOCK_MONOTONIC) or before; valid until the next `consume(until:)`.
  ///
  /// Take as limit a millisecond before `position` was taken: whatever is older has come by then.
  @inline(__always)
  public func nextEvent(until limit: UInt64) -> UnsafePointer<tcpstate_event>? {
    queue.next(until: limit)
  }

  /// The event that comes so many places after the next one, if it is there already.
  @inline(__always)
  public func peek(_ distance: Int) -> UnsafePointer<tcpstate_event>? { queue.peek(distance) }

  /// Events that were dropped between the previous event handed in here and this one.
  @inline(__always)
  public func lossesBefore(_ event: UnsafePointer<tcpstate_event>) -> UInt64 {
    let difference = Int32(bitPattern: event.pointee.lost_before &- lostSeen)
    guard difference > 0 else { return 0 }
    lostSeen = event.pointee.lost_before
    return UInt64(difference)
  }

  /// Events dropped because the ring buffer was full, that no later event has reported; each is returned once.
  public func unreportedDrops() -> UInt64 {
    let dropped = UInt32(truncatingIfNeeded: object.shared.lost) &- lostSeen
    lostSeen &+= dropped
    return UInt64(dropped)
  }

  /// Runs that the kernel has skipped since the last call, because an interrupt hit the program on the same
  /// CPU, and for which `transition_nested` didn't run either.
  public func unreportedSkips() -> UInt64 {
    let nested = object.shared.nested
    let skipped = skippedRuns()
    let missed = skipped > nested ? skipped - nested : 0
    defer { skipsReported = max(skipsReported, missed) }
    return missed > skipsReported ? missed - skipsReported : 0
  }

  /// Of some program that is loaded.
  var programDescriptor: Int32 {
    bpf_program__fd(object.program(object.programs.descriptions.first?.program ?? object.plan.main))
  }

  private func skippedRuns() -> UInt64 {
    var info = bpf_prog_info()
    var size = UInt32(MemoryLayout<bpf_prog_info>.size)
    guard bpf_obj_get_info_by_fd(bpf_program__fd(object.program(object.plan.main)), &info, &size) == 0 else {
      return 0
    }
    return info.recursion_misses
  }

  /// Events that weren't of the known version, kind or length.
  public var undecodable: UInt64 { queue.undecodable }

  /// Records of the kernel's tables that weren't.
  public var undecodableSnapshots: UInt64 { iterator.undecodable }

  /// A map's descriptor, good as long as this value.
  func map(_ name: String) -> Int32 { object.map(name) }

  // MARK: - Tables

  /// Whether sockets from before can be read.
  public var canReadTables: Bool { iterator.canRead }

  /// Every TCP socket of every network namespace: first those that processes
  /// hold, with their owners, then all, without. A socket comes more than once.
  ///
  /// - Parameters:
  ///   - states: those to read, a bit a kernel number.
  ///   - namespaces: as `namespaces()` gives them.
  /// - Returns: the namespaces that were read, or gone. Of the others only sockets that processes hold were.
  @discardableResult
  public func readSockets(
    states: UInt32 = .max, namespaces: [UInt32: String], _ receive: SnapshotReceiver
  ) throws(KernelError) -> Set<UInt32> {
    if isPlain {
      let holders = Capabilities.raised([.sysPtrace, .dacReadSearch]) { SocketHolders() }
      return try iterator.readTables(states: states, minisocksOnly: false, namespaces: namespaces) {
        holders.handOn($0, $1, receive)
      }
    }
    try iterator.readFiles(states: states, receive)
    return try iterator.readTables(states: states, minisocksOnly: false, namespaces: namespaces, receive)
  }

  /// The sockets of processes that are in SYN-SENT.
  public func readConnecting(_ receive: SnapshotReceiver) throws(KernelError) {
    try iterator.readFiles(states: 1 << UInt32(TCPState.synSent.number), receive)
  }

  /// The minisocks alone: TIME-WAIT, orphaned FIN-WAIT-2, half-open requests.
  ///
  /// - Returns: as `readSockets`.
  public func readMinisocks(
    namespaces: [UInt32: String], _ receive: SnapshotReceiver
  ) throws(KernelError) -> Set<UInt32> {
    return try iterator.readTables(states: .max, minisocksOnly: true, namespaces: namespaces, receive)
  }

  /// CONFIG_HZ, known after the first reading of the tables.
  public var ticksPerSecond: UInt64? {
    KernelClock.ticksPerSecond(jiffies: object.shared.jiffies, at: object.shared.jiffiesTime)
  }
}
