import CLibbpf
import CTCPStateEvent
import Glibc
import TCPStateCore

/// Reads sockets from the kernel's tables by BPF iterators.
struct SocketIterator {
  private let files: BPFLink?
  private let sockets: BPFLink?
  private let shared: SharedMemory
  /// Whether a namespace that isn't found is gone, and not just hidden.
  private let seesAllNamespaces: Bool

  init(_ object: borrowing BPFObject, seesAllNamespaces: Bool) throws(KernelError) {
    self.seesAllNamespaces = seesAllNamespaces
    files = try Self.attach(object, .snapshotFiles)
    sockets = try Self.attach(object, .snapshotSockets)
    shared = object.shared
  }

  var canRead: Bool { sockets != nil }

  private static func attach(_ object: borrowing BPFObject, _ program: BPFObject.Programs) throws(KernelError)
    -> BPFLink?
  {
    guard object.programs.contains(program) else { return nil }
    guard let link = bpf_program__attach_iter(object.program(program), nil)
    else { throw KernelError("attach a socket iterator", errno: errno) }
    return BPFLink(taking: link)
  }

  /// Every socket with a descriptor, of every namespace, in one pass; a socket comes once for each descriptor.
  func readFiles(states: UInt32, _ body: KernelSource.SnapshotBody) throws(KernelError) {
    guard let files else { return }
    shared.setSnapshot(states: states, minisocksOnly: false)
    let fd = bpf_iter_create(files.descriptor)
    guard fd >= 0 else { throw KernelError("read the sockets of all processes", errno: errno) }
    try Self.read(FileDescriptor(taking: fd), body)
  }

  /// The namespaces' TCP hash tables: also what has no descriptor, and minisocks.
  ///
  /// - Parameter namespaces: paths by inodes.
  /// - Returns: those that were read, or that were gone. The others were out of reach.
  func readTables(
    states: UInt32, minisocksOnly: Bool, namespaces: [UInt32: String], _ body: KernelSource.SnapshotBody
  ) throws(KernelError) -> Set<UInt32> {
    guard let sockets else { return [] }
    shared.setSnapshot(states: states, minisocksOnly: minisocksOnly)
    var read: Set<UInt32> = []
    for (namespace, path) in namespaces {
      var table = try Self.open(sockets, namespace, path)
      if table == nil {
        // The process that the path is of may have ended; another one may still be there.
        guard let other = try NetworkNamespaces.all()[namespace] else {
          if seesAllNamespaces { read.insert(namespace) }
          continue
        }
        table = try Self.open(sockets, namespace, other)
      }
      guard let table else { continue }
      if case .sockets(let iterator) = table { try Self.read(FileDescriptor(taking: iterator), body) }
      read.insert(namespace)
    }
    return read
  }

  /// A namespace's part of the TCP hash tables.
  private enum Table {
    /// Nothing: the walk through all buckets, which all namespaces share, can be spared.
    case empty
    /// The descriptor of an iterator, to be closed.
    case sockets(Int32)
  }

  /// An iterator reads the namespace in which it was made, so it is made there.
  private static func open(_ sockets: BPFLink, _ namespace: UInt32, _ path: String) throws(KernelError) -> Table? {
    try NetworkNamespaces.inside(namespace, path: path) { () throws(KernelError) in
      if let counts = NetworkNamespaces.tableCounts(), counts.isEmpty { return .empty }
      let iterator = bpf_iter_create(sockets.descriptor)
      guard iterator >= 0 else { throw KernelError("read the TCP tables of \(path)", errno: errno) }
      return .sockets(iterator)
    }
  }

  private static func read(_ fd: consuming FileDescriptor, _ body: KernelSource.SnapshotBody) throws(KernelError) {
    let size = MemoryLayout<tcpstate_snapshot>.size
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 8)
    defer { buffer.deallocate() }
    var held = 0
    while true {
      let count = Glibc.read(fd.number, buffer.baseAddress! + held, buffer.count - held)
      if count < 0 {
        if errno == EAGAIN || errno == EINTR { continue }
        throw KernelError("read a socket iterator", errno: errno)
      }
      if count == 0 { return }
      held += count
      var offset = 0
      while held - offset >= size {
        let record = UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + size])
        let following = UnsafeRawBufferPointer(rebasing: buffer[offset + size..<held])
        offset += size
        // Records begin where the buffer does, and are whole multiples of 8 bytes.
        guard (try? EventDecoder.checkSnapshot(record)) != nil, let start = record.baseAddress else { continue }
        body(
          start.assumingMemoryBound(to: tcpstate_snapshot.self),
          following.assumingMemoryBound(to: tcpstate_snapshot.self))
      }
      if offset > 0, held > offset {
        memmove(buffer.baseAddress!, buffer.baseAddress! + offset, held - offset)
      }
      held -= offset
    }
  }
}
