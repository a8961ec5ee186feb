// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix

/// Checks users' passwords on a thread of its own, so that bcrypt never holds up other clients. Used on the event loop.
final class PasswordChecker {
  enum Answer: Sendable {
    case allowed, denied
    /// Too many are waiting.
    case busy
  }

  private let loop: any EventLoop
  private let limit: Int
  private var waiting = 0
  private var pool: NIOThreadPool?
  /// What the last successful check of each user compared, so that each scrape doesn't cost a hash.
  private var verified: [String: (hash: PasswordHash, password: [UInt8])] = [:]

  init(loop: any EventLoop, limit: Int) {
    self.loop = loop
    self.limit = limit
  }

  /// Calls `answer` on the event loop, at once if the password is the one that was right before.
  func check(_ credentials: Credentials, among users: [String: PasswordHash], answer: @escaping (Answer) -> Void) {
    let hash = users[credentials.user]
    if let hash, let known = verified[credentials.user], known.hash == hash, credentials.hasPassword(known.password) {
      return answer(.allowed)
    }
    // An unknown user costs as much as a known one, so that the time doesn't show who exists.
    guard let hashToCheck = hash ?? users.values.max(by: { $0.cost < $1.cost }) else { return answer(.denied) }
    guard waiting < limit else { return answer(.busy) }
    waiting += 1
    let user = credentials.user, password = credentials.password
    startedPool().runIfActive(eventLoop: loop) { hashToCheck.matches(password) }
      .assumeIsolated()
      .whenComplete { [self] result in
        waiting -= 1
        let isRight = (try? result.get()) == true && hash != nil
        if isRight { verified[user] = (hashToCheck, password) }
        answer(isRight ? .allowed : .denied)
      }
  }

  /// Forgets users who are gone, and passwords that were changed.
  func keepOnly(_ users: [String: PasswordHash]) {
    verified = verified.filter { users[$0.key] == $0.value.hash }
  }

  /// Ends its thread, if it has one. Checks that wait are denied.
  func stop() {
    pool?.shutdownGracefully { _ in }
    pool = nil
  }

  private func startedPool() -> NIOThreadPool {
    if let pool { return pool }
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    self.pool = pool
    return pool
  }
}
