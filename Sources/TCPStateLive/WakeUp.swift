// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateKernel

/// Waits for the kernel side to report that much has piled up.
///
/// By edges only: the ring buffer always holds something that waits for its turn.
struct WakeUp: ~Copyable {
  private let epoll: Int32

  init(_ descriptor: Int32) throws(KernelError) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | EPOLLET.rawValue
    guard epoll >= 0, epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    else { throw KernelError("wait for the ring buffer", errno: errno) }
  }

  deinit { if epoll >= 0 { close(epoll) } }

  func wait(milliseconds: Int32) {
    var event = epoll_event()
    _ = epoll_wait(epoll, &event, 1, milliseconds)
  }
}
