// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CTCPStateEvent
import CVerbose
import Glibc
import TCPStateCore

/// The live source: the BPF programs, loaded and attached; their events, in order; and the sockets in the kernel's
/// tables.
///
/// One thread uses it. Everything attached is detached when this is released.
public final class KernelSource {
  public typealias Attachment = KernelAttachment
  public typealias Configuration = KernelConfiguration
  public typealias SnapshotBody = SnapshotReceiver

  public let attachment: Attachment
  /// What is missing with this kernel and this way of attaching, for people; `nil` if nothing is.
  public let shortfall: String?
  /// Tracepoints to which `attach()` couldn't attach. Those that `shortfall` names aren't repeated here.
  public private(set) var failedAttachments: [FailedAttachment] = []
  /// Whether it is seen at once which process accepts a connection.
  public private(set) var seesAccepts = false
  let isPlain: Bool
  /// Whether nothing is attached, and the tables are read once.
  let tablesOnly: Bool
  private let object: BPFObject
  private var ring: RingBuffer
  private let iterator: SocketIterator
  let finder: NamespaceFinder
  /// Namespaces of sockets that the last `readSockets` came across, and whose tables it couldn't read.
  public private(set) var unreached: Set<UInt32> = []
  private let queue: EventQueue
  /// The capabilities for namespaces at the start: CAP_SYS_ADMIN to enter them, CAP_SYS_PTRACE to find them.
  let namespaceRights: CapabilitySet
  /// The only namespace that is wanted; `nil` for all.
  let netns: UInt32?
  private var transitionLink: BPFLink?
  private var otherLinks: [BPFLink] = []
  private var lostSeen: UInt32 = 0
  private var skipsReported: UInt64 = 0

  /// The kernel's BTF.
  static let typeInformation = "/sys/kernel/btf/vmlinux"
  /// What attaching to the classic tracepoint reads.
  static let classicTracepoint = "/sys/kernel/tracing/events/sock/inet_sock_set_state/id"

  /// Loads the programs; nothing is attached yet.
  public init(_ configuration: Configuration) throws(KernelError) {
    libbpf_set_strict_mode(LIBBPF_STRICT_ALL)
    tcpstate_print_messages(configuration.verbose ? 1 : 0)
    if let obstacle = Self.typeInformationObstacle {
      throw KernelError(.unsupported, "trace on this kernel", cause: obstacle.cause, hint: obstacle.remedy)
    }
    let image = Base64.decode(EmbeddedObject.base64)
    defer { image.deallocate() }
    let object = try LargePages.during { () throws(KernelError) -> BPFObject in
      try Self.load(image, configuration)
    }
    attachment = object.programs.contains(.transitionClassic) ? .classic : .btf
    shortfall = object.plan.shortfall
    isPlain = object.plan.isPlain
    tablesOnly = configuration.tablesOnly
    queue = EventQueue()
    ring = try RingBuffer(map: object.map("events"), size: object.ringBytes, queue: queue)
    namespaceRights = Capabilities.permitted.intersection([.sysAdmin, .sysPtrace])
    netns = configuration.filter.netns
    var paths: [UInt32: String] = [:]
    if let netns, let path = configuration.filter.netnsPath { paths[netns] = path }
    finder = NamespaceFinder(paths: paths)
    iterator = try SocketIterator(
      object, finder: finder,
      seesAllNamespaces: namespaceRights.contains(.sysPtrace) && !Surroundings.current.hidesNamespaces)
    self.object = object
  }

  // MARK: - Events

  /// Attaches. Every transition after its return is recorded.
  public func attach() throws(KernelError) {
    guard let link = bpf_program__attach(object.program(object.plan.main)) else {
      let code = errno
      if attachment == .classic, access(Self.classicTracepoint, R_OK) != 0 {
        throw KernelError(
          .unsupported, "attach to the tracepoint sock:inet_sock_set_state",
          cause: "its id can't be read from /sys/kernel/tracing",
          hint: Remedy.tracefs)
      }
      throw Self.refusal("attach to the tracepoint sock:inet_sock_set_state", errno: code)
    }
    transitionLink = BPFLink(taking: link)
    object.shared.setAttached(at: KernelClock.monotonic())
    failedAttachments = []
    // Programs that the kernel rejects aren't loaded; `shortfall` names them.
    for other in object.programs.subtracting(object.plan.main).descriptions {
      guard let tracepoint = other.tracepoint else { continue }
      if let link = bpf_program__attach(object.program(other.program)) {
        otherLinks.append(BPFLink(taking: link))
        if other.program == .accepted { seesAccepts = true }
      } else if other.program != .accepted {  // descriptors are looked at instead
        failedAttachments.append(FailedAttachment(tracepoint: tracepoint, code: errno, loss: other.loss))
      }
    }
  }

  /// Detaches. What has been recorded can still be consumed.
  public func detach() {
    otherLinks = []  // first: transition_nested alone would take every transition for a skipped one
    transitionLink = nil
  }

  /// Becomes readable when there is much to consume; until then consume on a timer. Watch it for edges: some events are
  /// always held back.
  public var descriptor: Int32 { ring.descriptor }

  /// How far events have been recorded by now, for `consume(until:)`.
  public var position: UInt64 { ring.written }

  /// Takes over some events from the ring buffer, and releases those that have been handed on.
  ///
  /// - Parameter position: an earlier value of `position`; later events are left.
  /// - Returns: whether there are more at once.
  public func consume(until position: UInt64) -> Bool {
    let more = ring.consume(until: position)
    if !more { object.shared.clearWake() }
    return more
  }

  /// Whether the ring buffer holds events that haven't been taken over.
  public var hasUnread: Bool { ring.hasUnread }

  /// Hands on the oldest event if it isn't newer than `limit` (CLOCK_MONOTONIC nanoseconds). It is valid until the next
  /// `consume(until:)`.
  ///
  /// Use as limit one millisecond before `position` was read: by then everything older has been recorded.
  @inline(__always)
  public func nextEvent(until limit: UInt64) -> UnsafePointer<tcpstate_event>? {
    queue.next(until: limit)
  }

  /// The event so many places after the next one; `nil` if there is none yet.
  @inline(__always)
  public func peek(_ distance: Int) -> UnsafePointer<tcpstate_event>? { queue.peek(distance) }

  /// Events that were dropped between the event of the previous call and this one.
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

  /// Transitions since the last call that weren't recorded, because an interrupt hit the program on the same CPU and
  /// `transition_nested` didn't run either; each is returned once.
  public func unreportedSkips() -> UInt64 {
    let nested = object.shared.nested
    let skipped = skippedRuns()
    let missed = skipped > nested ? skipped - nested : 0
    defer { skipsReported = max(skipsReported, missed) }
    return missed > skipsReported ? missed - skipsReported : 0
  }

  /// The descriptor of some loaded program.
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

  /// Events that couldn't be decoded: another version or kind, or too short.
  public var undecodable: UInt64 { queue.undecodable }

  /// Records of the kernel's tables that couldn't be decoded.
  public var undecodableSnapshots: UInt64 { iterator.undecodable }

  /// A map's descriptor, valid as long as this value.
  func map(_ name: String) -> Int32 { object.map(name) }

  // MARK: - Tables

  /// Whether the kernel's tables can be read, and so sockets older than the tracer.
  public var canReadTables: Bool { iterator.canRead }

  /// All except CLOSED, the state of sockets for which only bind() has been called.
  public static let openStates = UInt32.max & ~(1 << UInt32(TCPState.closed.number))

  /// Reads every TCP socket: first those that processes hold, with their owners, then all of them, without. A socket
  /// comes more than once.
  ///
  /// - Parameters:
  ///   - states: those to read, one bit for each of the kernel's numbers.
  ///   - namespaces: as `namespaces()` returns them.
  ///   - widened: asked after the first part, whether the second one is to read all states.
  /// - Returns: the namespaces that were read, or are gone. In the others only sockets that processes hold were read.
  @discardableResult
  public func readSockets(
    states: UInt32 = openStates, namespaces: [UInt32: String], widened: () -> Bool = { false },
    _ receive: SnapshotReceiver
  ) throws(KernelError) -> Set<UInt32> {
    if isPlain {
      let holders = Capabilities.raised([.sysPtrace, .dacReadSearch]) { SocketHolders() }
      return try readTables(states: states, namespaces: namespaces, met: []) { holders.handOn($0, $1, receive) }
    }
    var met: Set<UInt32> = []
    try iterator.readFiles(states: states) { record, following in
      met.insert(record.pointee.event.netns)
      receive(record, following)
    }
    return try readTables(states: widened() ? .max : states, namespaces: namespaces, met: met, receive)
  }

  /// The tables of the namespaces, and of those that were met besides: a process that isn't in a namespace may hold
  /// sockets of it.
  private func readTables(
    states: UInt32, namespaces: [UInt32: String], met: Set<UInt32>, _ receive: SnapshotReceiver
  ) throws(KernelError) -> Set<UInt32> {
    var all = namespaces
    let missing = met.union(netns.map { [$0] } ?? []).subtracting(namespaces.keys)
    for (inode, path) in try finder.find(missing, exists: true) { all[inode] = path }
    let read = try iterator.readTables(states: states, minisocksOnly: false, namespaces: all, receive)
    unreached = missing.union(namespaces.keys).subtracting(read)
    return read
  }

  /// How many full TCP sockets the kernel counts in these namespaces, without reading its tables; `nil` if that isn't
  /// known. Includes listeners, and no minisocks or half-open requests.
  public func fullSocketCount(in namespaces: [UInt32: String]) -> Int? { NetworkNamespaces.fullSockets(in: namespaces) }

  /// Reads the sockets in SYN-SENT that processes hold.
  public func readConnecting(_ receive: SnapshotReceiver) throws(KernelError) {
    try iterator.readFiles(states: 1 << UInt32(TCPState.synSent.number), receive)
  }

  /// Whether descriptors can be read, and so which process holds a socket.
  public var canReadHolders: Bool { iterator.canReadFiles }

  /// Reads which processes hold the sockets that listeners have accepted, once for each descriptor. Of the socket a
  /// record has its key and state only.
  public func readHolders(_ receive: SnapshotReceiver) throws(KernelError) {
    try iterator.readFiles(states: .max, holdersOnly: true, receive)
  }

  /// Reads the wanted sockets that processes hold, once for each descriptor.
  public func readMembers(_ receive: SnapshotReceiver) throws(KernelError) {
    try iterator.readFiles(states: .max, receive)
  }

  /// Reads only the minisocks: TIME-WAIT, orphaned FIN-WAIT-2, half-open requests.
  ///
  /// - Returns: as `readSockets`.
  public func readMinisocks(
    namespaces: [UInt32: String], _ receive: SnapshotReceiver
  ) throws(KernelError) -> Set<UInt32> {
    return try iterator.readTables(states: .max, minisocksOnly: true, namespaces: namespaces, receive)
  }

  /// By network namespace: the minisocks that it had refused so far when its tables were last read
  /// (tcp_max_tw_buckets).
  public var timeWaitOverflows: [UInt32: UInt64] { iterator.timeWaitOverflows }

  /// Changes whenever an MPTCP socket changes its state. No event reports that: `readSockets` finds what is new.
  public var mptcpChanges: UInt64 { object.shared.mptcpChanges }

  /// CONFIG_HZ, known after the first reading of the tables.
  public var ticksPerSecond: UInt64? {
    KernelClock.ticksPerSecond(jiffies: object.shared.jiffies, at: object.shared.jiffiesTime)
  }
}
