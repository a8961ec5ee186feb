// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore

/// A full TCP socket that the kernel can find without a search.
public struct SocketName: Sendable {
  /// The kernel's socket cookie.
  public var cookie: UInt64
  public var local: Endpoint
  public var peer: Endpoint
  /// Index of the network interface that it is bound to; 0 for none.
  public var interface: UInt32
  /// Inode of its network namespace.
  public var netns: UInt32

  public init(cookie: UInt64, local: Endpoint, peer: Endpoint, interface: UInt32, netns: UInt32) {
    (self.cookie, self.local, self.peer) = (cookie, local, peer)
    (self.interface, self.netns) = (interface, netns)
  }
}

/// Asks the kernel for single sockets, sock_diag(7): the same `struct tcp_info` that `ss -ti` prints, found by the
/// addresses in the hash table, in microseconds.
///
/// It asks in the namespace in which it was made, and keeps that alive, so it shouldn't be kept.
struct SocketQuery: ~Copyable {
  private let socket: FileDescriptor

  /// `nil` if the kernel has no sock_diag, or a filter refuses it.
  init?() {
    let number = Glibc.socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
    guard number >= 0 else { return nil }
    socket = FileDescriptor(taking: number)
  }

  /// The socket's counters; `nil` if it isn't there any more, or is no full socket.
  func counters(of name: SocketName) -> SocketCounters? {
    guard send(name) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 8) { buffer in
      let count = read(socket.number, buffer.baseAddress, buffer.count)
      return count > 0 ? Self.counters(in: UnsafeRawBufferPointer(rebasing: buffer[..<count])) : nil
    }
  }

  /// One request, which is answered by one message.
  private func send(_ name: SocketName) -> Bool {
    struct Request {
      var header = nlmsghdr()
      var body = inet_diag_req_v2()
    }
    var request = Request()
    request.header.nlmsg_len = UInt32(MemoryLayout<Request>.size)
    request.header.nlmsg_type = UInt16(SOCK_DIAG_BY_FAMILY)
    request.header.nlmsg_flags = UInt16(NLM_F_REQUEST)
    let isIPv4 = name.local.address.isIPv4 && name.peer.address.isIPv4
    request.body.sdiag_family = UInt8(isIPv4 ? AF_INET : AF_INET6)
    request.body.sdiag_protocol = UInt8(IPPROTO_TCP)
    request.body.idiag_ext = 1 << UInt8(Self.info - 1)
    request.body.idiag_states = .max
    request.body.id.idiag_sport = name.local.port.bigEndian
    request.body.id.idiag_dport = name.peer.port.bigEndian
    request.body.id.idiag_if = name.interface
    request.body.id.idiag_cookie = (UInt32(truncatingIfNeeded: name.cookie), UInt32(name.cookie >> 32))
    withUnsafeMutableBytes(of: &request.body.id.idiag_src) { Self.store(name.local.address, isIPv4, $0) }
    withUnsafeMutableBytes(of: &request.body.id.idiag_dst) { Self.store(name.peer.address, isIPv4, $0) }
    return withUnsafeBytes(of: &request) { write(socket.number, $0.baseAddress, $0.count) == $0.count }
  }

  /// Writes an address as it is on the wire into 16 bytes.
  private static func store(_ address: IPAddress, _ isIPv4: Bool, _ bytes: UnsafeMutableRawBufferPointer) {
    if isIPv4 {
      bytes.storeBytes(of: address.v4.bigEndian, as: UInt32.self)
    } else {
      bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
  }

  /// INET_DIAG_INFO, an attribute that holds a struct tcp_info.
  private static let info = 2

  /// Reads the answer: the header, a struct inet_diag_msg, and attributes.
  static func counters(in message: UnsafeRawBufferPointer) -> SocketCounters? {
    let header = MemoryLayout<nlmsghdr>.size
    let body = header + MemoryLayout<inet_diag_msg>.size
    guard message.count >= body else { return nil }
    let length = min(message.count, Int(message.loadUnaligned(as: nlmsghdr.self).nlmsg_len))
    guard message.loadUnaligned(as: nlmsghdr.self).nlmsg_type == UInt16(SOCK_DIAG_BY_FAMILY) else { return nil }
    let state = TCPState(
      number: message.loadUnaligned(fromByteOffset: header, as: inet_diag_msg.self).idiag_state)
    guard state.isSynchronized, state != .timeWait else { return nil }
    var place = body
    while place + 4 <= length {
      let attribute = message.loadUnaligned(fromByteOffset: place, as: rtattr.self)
      let size = Int(attribute.rta_len)
      guard size >= 4, place + size <= length else { return nil }
      if Int(attribute.rta_type) == Self.info {
        return Self.counters(info: UnsafeRawBufferPointer(rebasing: message[(place + 4)..<(place + size)]), state)
      }
      place += (size + 3) & ~3
    }
    return nil
  }

  /// Offsets in struct tcp_info (include/uapi/linux/tcp.h), which only grows at its end.
  private enum Offset {
    static let rtt = 68
    static let retransmits = 100
    static let bytesReceived = 128
    static let bytesSent = 200
    static let bytesRetransmitted = 208
    static let end = 216
  }

  private static func counters(info: UnsafeRawBufferPointer, _ state: TCPState) -> SocketCounters? {
    // Shorter before Linux 4.19, which has no BTF either.
    guard info.count >= Offset.end else { return nil }
    let rtt = info.loadUnaligned(fromByteOffset: Offset.rtt, as: UInt32.self)
    let received = info.loadUnaligned(fromByteOffset: Offset.bytesReceived, as: UInt64.self)
    let sent = info.loadUnaligned(fromByteOffset: Offset.bytesSent, as: UInt64.self)
    let again = info.loadUnaligned(fromByteOffset: Offset.bytesRetransmitted, as: UInt64.self)
    // The peer's FIN counts as a byte.
    let fin: UInt64 = state == .closeWait || state == .closing || state == .lastAck ? 1 : 0
    return SocketCounters(
      bytesSent: sent - min(again, sent), bytesReceived: received - min(fin, received),
      rttMicroseconds: rtt > 0 ? rtt : nil,
      retransmits: info.loadUnaligned(fromByteOffset: Offset.retransmits, as: UInt32.self))
  }
}
