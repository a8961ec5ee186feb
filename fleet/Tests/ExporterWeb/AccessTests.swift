// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

import ExporterWeb

@Suite struct AccessTests {
  /// From the test vectors of the first bcrypt (OpenBSD; crypt_blowfish's wrapper.c).
  @Test(arguments: [
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"),
    ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"),
  ])
  func bcrypt(hash: String, password: String) throws {
    let hash = try #require(PasswordHash(hash))
    #expect(hash.cost == 5)
    #expect(hash.matches(Array(password.utf8)))
    #expect(!hash.matches(Array((password + "x").utf8)))
    #expect(!hash.matches(Array(password.utf8) + [0]))
    #expect(!hash.matches([]))
  }

  @Test(arguments: [
    "", "secret", "$2y$10$", "$1$abc$def", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe",
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe:",
  ])
  func noBcrypt(text: String) {
    #expect(PasswordHash(text) == nil)
  }

  @Test(arguments: [
    ("Basic dXNlcjpwYXNz", "user", "pass"), ("bAsIc   dTpw", "u", "p"), ("Basic dTo=", "u", ""),
    ("Basic OnA=", "", "p"),
    ("Basic dTpwOnE=", "u", "p:q"), ("Basic w6Q6w7w=", "ä", "ü"),
  ])
  func credentials(header: String, user: String, password: String) throws {
    let found = try #require(Credentials(header: header))
    #expect(found.user == user)
    #expect(found.password == Array(password.utf8))
  }

  @Test(arguments: [
    "", "Basic", "Basic ", "Bearer dTpw", "Basic dTpw=", "Basic dTp", "Basic dT:w", "Basic dXNlcg==", "Basic ====",
  ])
  func noCredentials(header: String) {
    #expect(Credentials(header: header) == nil)
  }

  @Test func aBucketOfTokens() {
    let limit = RateLimit(interval: .seconds(1), burst: 2)
    let start = NIODeadline.uptimeNanoseconds(1)
    var bucket = RateLimit.Bucket(limit, at: start)
    let times = [
      start, start, start, start + .milliseconds(999), start + .milliseconds(1001), start + .milliseconds(1001),
    ]
    #expect(times.map { bucket.take(at: $0) } == [true, true, false, false, true, false])
    let later = start + .hours(1)
    #expect((0..<3).map { _ in bucket.take(at: later) } == [true, true, false])
  }
}
