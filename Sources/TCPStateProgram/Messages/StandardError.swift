// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Standard error, which may be a pipe that nobody reads or a stopped terminal: then messages are dropped, and
/// counted, rather than signals left unheeded.
public struct StandardError: Sendable {
  /// Milliseconds that a reader may take for a part of a message.
  public static let patience: Int32 = 100
  /// Between two looks at the signals.
  private static let slice: Int32 = 50

  private var descriptor: PatientDescriptor?
  private var dropped = 0
  /// Whether a status line is on the terminal.
  private var showsStatus = false

  private let program: String

  /// - Parameter program: its name, for a note about messages that were dropped.
  public init(program: String) {
    self.program = program
  }

  /// What clears the status line, if there is one, and forgets it.
  public mutating func takeStatus() -> String {
    defer { showsStatus = false }
    return showsStatus ? "\r\u{1b}[K" : ""
  }

  /// Opens what the first message would open.
  @discardableResult
  public mutating func open() -> PatientDescriptor {
    if let descriptor { return descriptor }
    let opened = PatientDescriptor(2)
    descriptor = opened
    return opened
  }

  /// - Parameters:
  ///   - patience: milliseconds that a reader may take for a part of it.
  ///   - isStatus: whether it is a line that the next one takes the place of.
  public mutating func write(_ text: String, patience: Int32 = StandardError.patience, isStatus: Bool = false) {
    let descriptor = open()
    showsStatus = isStatus
    // Whoever hasn't read the last one won't read this one either: it isn't waited for long.
    let patience = dropped > 0 ? 0 : patience
    if dropped > 0 {
      let note =
        "\(program): \(dropped) message\(dropped == 1 ? " was" : "s were") dropped: nobody was reading them\n"
      guard Self.put(note, descriptor, patience) else { return dropped += 1 }
      dropped = 0
    }
    if !Self.put(text, descriptor, patience) { dropped += 1 }
  }

  /// - Returns: whether all of it was written, or nobody is left to read it.
  private static func put(_ text: String, _ descriptor: PatientDescriptor, _ patience: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var offset = 0
      var left = patience
      while offset < bytes.count {
        if !descriptor.isReady {
          guard left > 0, !Signals.askForEnd else { return false }
          descriptor.wait(min(left, slice))
          left -= slice
          continue
        }
        let rest = UnsafeRawBufferPointer(bytes)[offset...]
        let count = descriptor.write(
          UnsafeRawBufferPointer(rebasing: rest).baseAddress, min(rest.count, descriptor.portion))
        if count > 0 {
          offset += count
          left = patience
        } else if count < 0, errno == EAGAIN {
          guard left > 0, !Signals.askForEnd else { return false }
          // A pipe is writable with less room than a whole portion takes.
          usleep(UInt32(slice) * 1000)
          left -= slice
        } else if errno != EINTR {
          return true
        }
      }
      return true
    }
  }
}
