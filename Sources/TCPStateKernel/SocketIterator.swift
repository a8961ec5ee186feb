import CLibbpf
import CLinux
import CTCPStateEvent
import Glibc
import TCPStateCore

/// Reads sockets from the kernel's tables by BPF iterators.
struct SocketIterator {
  private let files: BPFLink?
  private let sockets: BPFLink?
  private let shared: UnsafeMutablePointer<tcpstate_shared>

  init(_ object: borrowing BPFObject) throws(KernelError) {
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
  func readFiles(states: UInt32, _ body: (UnsafePointer<tcpstate_snapshot>) -> Void) throws(KernelError) {
    guard let files else { return }
    shared.pointee.snapshot_states = states
    let fd = bpf_iter_create(files.descriptor)
    guard fd >= 0 else { throw KernelError("read the sockets of all processes", errno: errno) }
    try Self.read(FileDescriptor(taking: fd), body)
  }

  /// The namespaces' TCP hash tables: also what has no descriptor, and minisocks.
  ///
  /// - Parameter namespaces: paths; those that are gone meanwhile are passed over.
  func readTables(
    states: UInt32, minisocksOnly: Bool, namespaces: [UInt32: String],
    _ body: (UnsafePointer<tcpstate_snapshot>) -> Void
  ) throws(KernelError) {
    guard let sockets else { return }
    shared.pointee.snapshot_states = states
    shared.pointee.snapshot_minisocks_only = minisocksOnly ? 1 : 0
    // An iterator reads the namespace in which it was made, so make it there.
    guard let home = FileDescriptor(path: "/proc/self/ns/net")
    else { throw KernelError("open /proc/self/ns/net", errno: errno) }
    let own = NetworkNamespaces.inode(of: "/proc/self/ns/net")
    for (inode, path) in namespaces {
      var iterator: Int32
      if inode == own {
        iterator = bpf_iter_create(sockets.descriptor)
      } else {
        guard let namespace = FileDescriptor(path: path), setns(namespace.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
        else { continue }
        iterator = bpf_iter_create(sockets.descriptor)
        guard setns(home.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
        else { throw KernelError("return to the own network namespace", errno: errno) }
      }
      guard iterator >= 0 else { throw KernelError("read the TCP tables of \(path)", errno: errno) }
      try Self.read(FileDescriptor(taking: iterator), body)
    }
  }

  private static func read(
    _ fd: consuming FileDescriptor, _ body: (UnsafePointer<tcpstate_snapshot>) -> Void
  ) throws(KernelError) {
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
        if var snapshot = try? EventDecoder.snapshot(UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + size])) {
          body(&snapshot)
        }
        offset += size
      }
      if offset > 0, held > offset {
        memmove(buffer.baseAddress!, buffer.baseAddress! + offset, held - offset)
      }
      held -= offset
    }
  }
}
