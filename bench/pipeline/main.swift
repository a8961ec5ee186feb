// SPDX-License-Identifier: Apache-2.0

// Times the way from a decoded record to a written row, which `twin.c` does in C.
//
//     pipeline RECORDS OUTPUT
//
// Prints CPU nanoseconds per event, how many connections are tracked at the end, and the bytes by which the
// process has grown. RECORDS is what `records` writes; it is read before the measuring.

import CTCPStateEvent
import Glibc
import TCPStateCore
import TCPStateReport

struct Pipeline: ~Copyable {
  /// As the program writes to files.
  private static let block = 128 * 1024

  private var tracker = ConnectionTracker()
  private var csv = CSVWriter()
  private var buffer = ByteBuffer(capacity: 256 * 1024)
  private let row = UnsafeMutablePointer<Transition>.allocate(capacity: 1)
  private var sequence: UInt64 = 0
  private let output: Int32

  var tracked: Int { tracker.trackedCount }

  init(output: Int32) {
    self.output = output
    row.initialize(to: Transition())
    tracker.wallOffset = 1_800_000_000_000_000_000
    tracker.completeSince = 1
    tracker.followsMinisocks = false
    tracker.fillsReadings = false  // as the command does if it shows the default columns
    tracker.ticksPerSecond = 250
  }

  deinit { row.deallocate() }

  mutating func run(_ records: UnsafeRawBufferPointer) -> Bool {
    csv.appendHeader(to: &buffer)
    let row = row  // else the thread sanitizer takes it and the tracker for accesses to the whole
    var offset = 0
    while offset < records.count {
      let end = min(offset + EventDecoder.eventSize, records.count)
      guard let event = try? EventDecoder.borrowed(UnsafeRawBufferPointer(rebasing: records[offset..<end]))
      else { return false }
      if tracker.apply(event, to: &row.pointee) {
        sequence += 1
        row.pointee.sequence = sequence
        csv.append(row, to: &buffer)
        if buffer.count >= Self.block, !write(Self.block) { return false }
      }
      offset = end
    }
    return write(buffer.count)
  }

  private mutating func write(_ count: Int) -> Bool {
    let written = buffer.withBytes { Glibc.write(output, $0.baseAddress, count) }
    buffer.removeFirst(max(0, written))
    return written == count
  }
}

func cpuNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Resident memory without mapped files, in bytes: the second number of /proc/self/statm less the third, in pages.
func residentBytes() -> Int {
  let file = open("/proc/self/statm", O_RDONLY)
  defer { close(file) }
  var text = [UInt8](repeating: 0, count: 256)
  let count = Glibc.read(file, &text, text.count)
  let numbers = text.prefix(max(0, count)).split(separator: UInt8(ascii: " ")).map {
    Int(String(decoding: $0, as: UTF8.self)) ?? 0
  }
  return numbers.count > 2 ? (numbers[1] - numbers[2]) * sysconf(Int32(_SC_PAGESIZE)) : 0
}

/// The whole file, aligned to 8 bytes.
func read(_ path: String) -> UnsafeRawBufferPointer? {
  let file = open(path, O_RDONLY)
  var status = stat()
  guard file >= 0, fstat(file, &status) == 0 else { return nil }
  let size = Int(status.st_size)
  let memory = UnsafeMutableRawPointer.allocate(byteCount: max(size, 8), alignment: 8)
  var held = 0
  while held < size {
    let count = Glibc.read(file, memory + held, size - held)
    guard count > 0 else { return nil }
    held += count
  }
  return UnsafeRawBufferPointer(start: memory, count: size)
}

func main() -> Int32 {
  let arguments = CommandLine.arguments
  guard arguments.count == 3, let records = read(arguments[1]) else {
    print("usage: pipeline RECORDS OUTPUT")
    return 2
  }
  let output = open(arguments[2], O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard output >= 0 else { return 1 }
  var pipeline = Pipeline(output: output)
  let before = residentBytes()
  let start = cpuNanoseconds()
  guard pipeline.run(records) else { return 1 }
  let elapsed = cpuNanoseconds() - start
  let grown = residentBytes() - before
  print(elapsed / UInt64(records.count / EventDecoder.eventSize), pipeline.tracked, grown)
  return 0
}

exit(main())
