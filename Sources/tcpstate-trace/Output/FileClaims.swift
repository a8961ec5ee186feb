// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Which files this process reads and writes: none may be both, nor be written twice, by whatever name.
///
/// A file is known by device and inode. Only regular files matter.
enum FileClaims {
  struct Identity: Hashable {
    let device: dev_t
    let inode: ino_t

    /// `nil` if it isn't a regular file.
    init?(_ status: stat) {
      guard status.st_mode & S_IFMT == S_IFREG else { return nil }
      device = status.st_dev
      inode = status.st_ino
    }
  }

  private struct Claims {
    /// By identity, what messages call it.
    var inputs: [Identity: String] = [:]
    var outputs: [Identity: String] = [:]
  }

  private static let claims = Mutex(Claims())

  /// Fails where the output is the same file.
  static func read(_ status: stat, _ name: String) throws(Failure) {
    guard let identity = Identity(status) else { return }
    let output = claims.withLock { claims in
      claims.inputs[identity] = name
      return claims.outputs[identity]
    }
    if let output { throw sameAsInput(output, name) }
  }

  /// Fails where an input or another output is the same file.
  static func write(_ status: stat, _ name: String) throws(Failure) {
    guard let identity = Identity(status) else { return }
    let (input, output) = claims.withLock { claims in
      let other = claims.outputs[identity]
      if other == nil { claims.outputs[identity] = name }
      return (claims.inputs[identity], other)
    }
    if let input { throw sameAsInput(name, input) }
    if let output {
      throw Failure(.usage, "can't write to \(name): it is the same file as \(output); name another for one of them")
    }
  }

  static func endWriting(_ status: stat) {
    guard let identity = Identity(status) else { return }
    claims.withLock { _ = $0.outputs.removeValue(forKey: identity) }
  }

  private static func sameAsInput(_ output: String, _ input: String) -> Failure {
    Failure(
      .usage,
      "can't write to \(output): it is \(output == input ? "a" : "\(input), the") recording that is read; name another file"
    )
  }
}
