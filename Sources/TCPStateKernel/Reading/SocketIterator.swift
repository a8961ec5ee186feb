// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CTCPStateEvent
import Glibc
import TCPStateCore

/// Reads sockets from the kernel's tables through BPF iterators.
///
/// A class, so that its owner may be used while records are received.
final class SocketIterator {
  private let files: BPFLink?
  private let sockets: BPFLink?
  private let shared: SharedMemory
  private let finder: NamespaceFinder
  /// Whether a namespace that isn't found is gone, and not just hidden.
  private let seesAllNamespaces: Bool
  /// Minisocks that each namespace had refused when its tables were last about to be read.
  private(set) var timeWaitOverflows: [UInt32: UInt64] = [:]
  /// Records that couldn't be decoded.
  private(set) var undecodable: UInt64 = 0

  init(_ object: borrowing BPFObject, finder: NamespaceFinder, seesAllNamespaces: Bool) throws(KernelError) {
    self.finder = finder
    self.seesAllNamespaces = seesAllNamespaces
    files = try Self.attach(object, .snapshotFiles)
    sockets = try Self.attach(object, .snapshotSockets)
    shared = object.shared
  }

  var canRead: Bool { sockets != nil }
  var canReadFiles: Bool { files != nil }

  private static func attach(_ object: borrowing BPFObject, _ program: BPFPrograms) throws(KernelError)
    -> BPFLink?
  {
    guard object.programs.contains(program) else { return nil }
    guard let link = bpf_program__attach_iter(object.program(program), nil)
    else { throw KernelError("attach a socket iterator", errno: errno) }
    return BPFLink(taking: link)
  }

  /// Every socket with a descriptor, in all namespaces, in one pass; once for each descriptor.
  ///
  /// - Parameter holdersOnly: whether only sockets on a listener's port are reported, and only which process holds them.
  func readFiles(states: UInt32, holdersOnly: Bool = false, _ receive: SnapshotReceiver) throws(KernelError) {
    guard let files else { return }
    shared.setSnapshot(states: states, holdersOnly: holdersOnly)
    let fd = bpf_iter_create(files.descriptor)
    guard fd >= 0 else { throw KernelError("read the sockets of all processes", errno: errno) }
    undecodable += try SnapshotReader.read(FileDescriptor(taking: fd), receive)
  }

  /// The TCP hash tables of the namespaces, including sockets without a descriptor, and minisocks.
  ///
  /// - Parameter namespaces: paths by inode.
  /// - Returns: the namespaces that were read, or are gone. The others were out of reach.
  func readTables(
    states: UInt32, minisocksOnly: Bool, namespaces: [UInt32: String], _ receive: SnapshotReceiver
  ) throws(KernelError) -> Set<UInt32> {
    guard let sockets else { return [] }
    shared.setSnapshot(states: states, minisocksOnly: minisocksOnly)
    var read: Set<UInt32> = []
    for (namespace, path) in namespaces {
      var table = try open(sockets, namespace, path)
      if table == nil {
        // The process in the path may have ended; another one may still be in the namespace.
        finder.forget(namespace)
        guard let other = try finder.find([namespace])[namespace] else {
          if seesAllNamespaces { read.insert(namespace) }
          continue
        }
        table = try open(sockets, namespace, other)
      }
      guard let table else { continue }
      if case .sockets(let iterator) = table {
        undecodable += try SnapshotReader.read(FileDescriptor(taking: iterator), receive)
      }
      read.insert(namespace)
    }
    return read
  }

  /// The part of the TCP hash tables that belongs to a namespace.
  private enum Table {
    /// Nothing, so there is no need to walk all buckets, which all namespaces share.
    case empty
    /// The descriptor of an iterator, to be closed.
    case sockets(Int32)
  }

  /// An iterator reads the namespace in which it was created, so it is created there.
  private func open(_ sockets: BPFLink, _ namespace: UInt32, _ path: String) throws(KernelError) -> Table? {
    try NetworkNamespaces.inside(namespace, path: path) { () throws(KernelError) in
      // Before the tables, so that nothing is missed that a later reading finds gone.
      timeWaitOverflows[namespace] = NetworkNamespaces.timeWaitOverflows()
      if let counts = NetworkNamespaces.tableCounts(), counts.isEmpty { return .empty }
      let iterator = bpf_iter_create(sockets.descriptor)
      guard iterator >= 0 else { throw KernelError("read the TCP tables of \(path)", errno: errno) }
      return .sockets(iterator)
    }
  }
}
