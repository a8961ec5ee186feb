// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore

/// The sockets to accept from: opened here, or passed by systemd.
enum ListeningSockets {
  /// Connections that wait to be accepted.
  static let backlog: Int32 = 128

  /// Opens a socket for each address.
  /// - Throws: ``WebError`` for the first that can't be listened on; none is left open then.
  static func open(_ addresses: [ListenAddress]) throws(WebError) -> [CInt] {
    var result: [CInt] = []
    do {
      for address in addresses { result.append(try open(address)) }
      return result
    } catch {
      for descriptor in result { close(descriptor) }
      throw error
    }
  }

  private static func open(_ address: ListenAddress) throws(WebError) -> CInt {
    if let host = address.host { return try open(host, address) }
    // All addresses: one socket for both families, unless the host has no IPv6.
    do { return try open("::", address) } catch {
      guard let result = try? open("0.0.0.0", address) else { throw error }
      return result
    }
  }

  private static func open(_ host: String, _ address: ListenAddress) throws(WebError) -> CInt {
    guard let socketAddress = try? SocketAddress(ipAddress: host, port: Int(address.port)) else {
      throw WebError(.usage, "--web.listen-address \(address): not a numeric address")
    }
    let family = host.contains(":") ? AF_INET6 : AF_INET
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw failure(address, errno) }
    var on: Int32 = 1
    var onlyIPv6: Int32 = address.host == nil ? 0 : 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, 4)
    if family == AF_INET6 {
      setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &onlyIPv6, 4)
    }
    let isBound = socketAddress.withSockAddr { bind(descriptor, $0, socklen_t($1)) == 0 }
    guard isBound, listen(descriptor, backlog) == 0 else {
      let number = errno
      close(descriptor)
      throw failure(address, number)
    }
    return descriptor
  }

  private static func failure(_ address: ListenAddress, _ number: Int32) -> WebError {
    switch number {
    case EADDRINUSE:
      WebError(
        .unavailable,
        "cannot listen on \(address): another program does; choose another --web.listen-address, or see: ss -ltnp sport = :\(address.port)"
      )
    case EACCES:
      WebError(
        .permission, "cannot listen on \(address): ports below 1024 need CAP_NET_BIND_SERVICE; choose a higher one")
    case EADDRNOTAVAIL:
      WebError(.unavailable, "cannot listen on \(address): this host has no such address")
    default: WebError(.unavailable, "cannot listen on \(address): \(errorText(number))")
    }
  }

  /// The sockets that systemd passes (sd_listen_fds(3)): LISTEN_FDS of them, from descriptor 3. They are for the process
  /// LISTEN_PID only, so the variables are removed.
  static func fromSystemd() throws(WebError) -> [CInt] {
    defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
    guard let pid = variable("LISTEN_PID"), pid == getpid(), let count = variable("LISTEN_FDS"),
      (1...1024).contains(count)
    else {
      throw WebError(
        .unavailable, "--web.systemd-socket: systemd passed no socket; start it with tcpstate-exporter.socket enabled")
    }
    var result: [CInt] = []
    for descriptor in 3..<3 + count {
      var isListening: Int32 = 0
      var size = socklen_t(4)
      guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening == 1 else {
        throw WebError(
          .unavailable,
          "--web.systemd-socket: descriptor \(descriptor) isn't a listening socket; use ListenStream= in the unit")
      }
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
      result.append(descriptor)
    }
    return result
  }

  private static func variable(_ name: String) -> Int32? {
    getenv(name).flatMap { Int32(String(cString: $0)) }
  }

  /// Where a socket listens, as in `127.0.0.1:10435`; nil if it has no internet address.
  static func address(of descriptor: CInt) -> ListenAddress? {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name -> ListenAddress? in
        guard getsockname(descriptor, name, &size) == 0 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch Int32(name.pointee.sa_family) {
        case AF_INET:
          return name.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { name in
            guard inet_ntop(AF_INET, &name.pointee.sin_addr, &text, socklen_t(text.count)) != nil else { return nil }
            return ListenAddress(host: host(text), port: UInt16(bigEndian: name.pointee.sin_port))
          }
        case AF_INET6:
          return name.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { name in
            guard inet_ntop(AF_INET6, &name.pointee.sin6_addr, &text, socklen_t(text.count)) != nil else { return nil }
            return ListenAddress(host: host(text), port: UInt16(bigEndian: name.pointee.sin6_port))
          }
        default: return nil
        }
      }
    }
  }

  private static func host(_ text: [CChar]) -> String? {
    let host = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return host == "::" ? nil : host
  }
}
