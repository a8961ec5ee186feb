// SPDX-License-Identifier: Apache-2.0

/// The line printed once tracing has begun: `Tracing TCP on Linux 6.18. Open before: …`
public struct OpeningText {
  /// What is known about the sockets that were open before tracing began.
  public enum Before: Sendable, Equatable {
    case sockets(connections: UInt64, listeners: UInt64)
    /// This kernel can't list them.
    case unknown
    /// They weren't read: `--no-existing`.
    case notRead
  }

  /// The longest the line gets, however many sockets there are.
  static let width = 80

  private let kernel: String
  private let before: Before

  /// - Parameter kernel: the kernel's version, `6.18`.
  public init(kernel: String, before: Before) {
    self.kernel = kernel
    self.before = before
  }

  /// One line, without a line feed.
  public var string: String {
    let tracing = "Tracing TCP on Linux \(kernel)."
    let ending = " Ctrl-C ends."
    let open: String
    switch before {
    case .notRead: return tracing + ending
    case .unknown: return tracing + " Open before: unknown on this kernel." + ending
    case .sockets(let connections, let listeners):
      open = " \(Self.count(connections, "connection")), \(Self.count(listeners, "listener"))."
    }
    let forms = [" Open before:" + open + ending, " Open:" + open + ending, " Open:" + open]
    let form = forms.first { (tracing + $0).utf8.count <= Self.width }
    return tracing + (form ?? forms[2])
  }

  private static func count(_ number: UInt64, _ noun: String) -> String {
    "\(NumberText.string(number)) \(noun)\(number == 1 ? "" : "s")"
  }
}
