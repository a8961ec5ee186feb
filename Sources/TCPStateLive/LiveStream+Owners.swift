// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateKernel

/// Which process has accepted a connection, where neither a read nor a close shows it.
extension LiveStream {
  /// Hands on the owners that have become known, and looks at descriptors if it is time to.
  ///
  /// - Parameter isFinal: a last look, so that what can be known is reported before the end.
  mutating func followOwners(isFinal: Bool, _ receive: Receive) throws(KernelError) {
    tracker.followOwners(until: appliedUntil)
    defer { handOnOwners(receive) }
    guard source.canReadHolders, let next = ownerPacer.nextLook(tracker.soughtOwners) else { return }
    let now = KernelClock.monotonic()
    guard isFinal || next <= now else { return }
    let before = KernelClock.processCPU()
    try source.readHolders { snapshot, _ in tracker.noteHolder(snapshot) }
    tracker.endLook()
    ownerPacer.looked(at: now, cost: KernelClock.processCPU() - before)
  }

  /// With a filter by cgroup: looks which sockets its processes hold, because a socket's own cgroup is that of the
  /// process that made it, which may be another service's.
  mutating func followMembers(_ receive: Receive) throws(KernelError) {
    guard configuration.kernel.filter.cgroup != nil, source.canReadHolders, tracker.knowsExisting else { return }
    let now = KernelClock.monotonic()
    guard memberPacer.nextLook((any: true, new: false)).map({ $0 <= now }) ?? false else { return }
    let before = KernelClock.processCPU()
    try source.readMembers { snapshot, _ in tracker.noteMember(snapshot) }
    handOnOwners(receive)
    memberPacer.looked(at: now, cost: KernelClock.processCPU() - before)
  }

  /// Such rows are no transitions, so they aren't counted.
  private mutating func handOnOwners(_ receive: Receive) {
    let row = row.pointer
    while tracker.nextOwnerRow(to: &row.pointee) {
      let loss = lossBefore
      lossBefore = 0
      receive(&row.pointee, loss)
    }
  }
}
