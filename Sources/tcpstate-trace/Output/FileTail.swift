// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateReport

/// What is in a file to which rows are added.
enum FileTail {
  private static let newline = UInt8(ascii: "\n")
  /// No line of ours is longer.
  private static let longestLine = 1 << 20

  /// Cuts off a last line without an end, which a killed program has left: the next row would go on in it.
  ///
  /// - Returns: where the file ends then.
  static func repair(_ descriptor: Int32, reader: Int32, _ name: String) throws(Failure) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Failure(.outputFailed, "can't append to \(name): \(String(cString: strerror(errno)))")
    }
    guard status.st_size > 0 else { return 0 }
    let size = Int(status.st_size)
    let start = max(0, size - longestLine)
    guard let bytes = read(reader, from: start, count: size - start) else {
      throw Failure(.outputFailed, "can't append to \(name): it can't be read: \(String(cString: strerror(errno)))")
    }
    guard bytes.last != newline else { return size }
    guard let end = bytes.lastIndex(of: newline).map({ start + $0 + 1 }) ?? (start == 0 ? 0 : nil) else {
      throw Failure(
        .outputFailed, "can't append to \(name): its last line is longer than a megabyte; is it a recording?")
    }
    guard ftruncate(descriptor, off_t(end)) == 0 else {
      throw Failure(.outputFailed, "can't append to \(name): \(String(cString: strerror(errno)))")
    }
    Message.error("\(name): the last line had no end, and its \(size - end) bytes were removed")
    return end
  }

  static func begins(with header: borrowing ByteBuffer, reader: Int32) -> Bool {
    let count = header.count
    guard let bytes = read(reader, from: 0, count: count), bytes.count == count else { return false }
    return header.withBytes { bytes.elementsEqual($0) }
  }

  /// Opens the same file for reading, through /proc, so that it can't be another.
  static func open(_ descriptor: Int32, _ name: String) throws(Failure) -> Int32 {
    let reader = Glibc.open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
    guard reader >= 0 else {
      throw Failure(.outputFailed, "can't append to \(name): it can't be read: \(String(cString: strerror(errno)))")
    }
    return reader
  }

  private static func read(_ reader: Int32, from start: Int, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = bytes.withUnsafeMutableBytes { pread(reader, $0.baseAddress, $0.count, off_t(start)) }
    return read < 0 ? nil : Array(bytes.prefix(read))
  }
}
