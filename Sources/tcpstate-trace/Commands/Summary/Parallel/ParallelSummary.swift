// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// `summary` of one big CSV recording, with all CPUs: each worker reads pieces of the file into stays of its own.
///
/// Stays add up in any order. Which sockets are open doesn't, so each piece notes what its rows say about that,
/// and whichever worker finds the next one read puts it into the whole, while the others go on. On anything unusual (a bad line,
/// a line end within quotes where a piece begins, more groups than are counted) it gives up, and the general reader does it.
///
/// Sendable because its state is touched only under the lock, and the whole only by the worker that has set `isMerging`.
final class ParallelSummary: @unchecked Sendable {
  /// What to make of the recording, the same for all workers.
  struct Task: Sendable {
    let path: String
    let keys: [SummaryKey]
    let filter: RowFilter
    let nullText: String
    let wanted: Set<Column>
    let countsMoves: Bool
  }

  /// Bytes of the file that are read at once.
  private static let pieceSize: UInt64 = 4 << 20
  /// It isn't worth it for less.
  private static let leastSize = 4 * pieceSize

  private static let mostWorkers = 8
  /// Pieces that are read ahead of the one that comes next, so that memory stays bounded.
  private static let mostWaiting: UInt64 = 32

  /// Touched under the lock only.
  private struct State {
    var nextPiece: UInt64 = 0
    var merged: UInt64 = 0
    var rows: UInt64 = 0
    var waiting: [UInt64: RecordingPiece] = [:]
    /// Whether a worker puts pieces into the whole.
    var isMerging = false
    var hasFailed = false
    /// Memory to use again.
    var spare: [[SocketStep]] = []
  }

  /// One thread, and the stays that it has seen.
  private final class Worker {
    let number: Int
    let parallel: ParallelSummary
    var fold: PieceFold

    init(_ number: Int, _ parallel: ParallelSummary, _ task: Task) {
      self.number = number
      self.parallel = parallel
      fold = PieceFold(task)
    }
  }

  struct Result: ~Copyable {
    var summary: StaySummary
    let lost: UInt64
    /// What isn't as it should be, but no error.
    let notes: [String]
  }

  private let task: Task
  private let columns: [Column?]
  private let descriptor: Int32
  private let size: UInt64
  private let firstRow: UInt64
  private var state = State()
  private var whole: RecordingWhole
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let isMerged: UnsafeMutablePointer<pthread_cond_t>

  /// - Parameter descriptor: of the file, which isn't moved and not closed.
  /// - Returns: `nil` where the general reader has to do it.
  init?(_ task: Task, needs: RecordingNeeds, descriptor: Int32) {
    guard task.path != "-" else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, UInt64(status.st_size) >= Self.leastSize,
      let header = Self.header(descriptor, task), needs.missing(in: header.columns, .csv).isEmpty
    else { return nil }
    self.task = task
    self.descriptor = descriptor
    size = UInt64(status.st_size)
    columns = header.columns
    firstRow = header.end
    whole = RecordingWhole(
      StaySummary(keys: task.keys, filter: task.filter, countsMoves: task.countsMoves), start: header.end,
      workers: Self.mostWorkers)
    lock = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    isMerged = .allocate(capacity: 1)
    pthread_cond_init(isMerged, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
    pthread_cond_destroy(isMerged)
    isMerged.deallocate()
  }

  private func locked<Result>(_ body: (inout State) -> Result) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body(&state)
  }

  /// The columns, and where the first row begins.
  private static func header(_ descriptor: Int32, _ task: Task) -> (columns: [Column?], end: UInt64)? {
    var bytes = [UInt8](repeating: 0, count: 64 * 1024)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard count > 0, let end = bytes[..<count].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    var reader = TransitionReader(nullText: task.nullText)
    _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
      room.copyBytes(from: bytes[...end])
      return end + 1
    }
    var row = Transition()
    // A first line that is a row itself has no columns to go by.
    guard let outcome = try? reader.next(&row), outcome == .needsBytes, reader.format == .csv, reader.knowsColumns,
      !reader.isForeign
    else {
      return nil
    }
    return (reader.columns, UInt64(end + 1))
  }

  /// - Returns: `nil` where the general reader has to do it.
  func run(_ progress: inout ReadingProgress) -> Result? {
    let count = max(1, min(Self.mostWorkers, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let workers = (0..<count).map { Worker($0, self, task) }
    let threads = workers.dropFirst().compactMap { start($0) }
    work(workers[0]) { progress.show(read: min($0 * Self.pieceSize, size), of: size, rows: $1) }
    for thread in threads { pthread_join(thread, nil) }
    guard !state.hasFailed, whole.end == size, whole.rows > 0 || size == firstRow else { return nil }
    for worker in workers { whole.summary.mergeStays(worker.fold.stays) }
    guard !whole.summary.tally.isOverLimit else { return nil }
    var summary = StaySummary(keys: [], filter: RowFilter())
    swap(&summary, &whole.summary)
    var notes: [String] = []
    if whole.wasCut {
      notes.append("\(Message.printable(task.path)):\(whole.lines + 1): the last line is cut short and was left out")
    }
    return Result(summary: summary, lost: whole.lost, notes: notes)
  }

  /// Another thread that works as this one does.
  private func start(_ worker: Worker) -> pthread_t? {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(worker)
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        // Retained for it above.
        let worker = Unmanaged<Worker>.fromOpaque(context).takeRetainedValue()
        worker.parallel.work(worker) { _, _ in }
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      return nil
    }
    return thread
  }

  /// Reads pieces until there are no more, and puts those that come next into the whole.
  private func work(_ worker: Worker, _ report: (_ pieces: UInt64, _ rows: UInt64) -> Void) {
    // Little, so that the bytes stay in the CPU's cache together with the stays.
    var reader = TransitionReader(columns: columns, nullText: task.nullText, wanted: task.wanted, capacity: 128 << 10)
    while let (number, steps) = nextPiece() {
      guard let piece = read(number, &reader, worker, steps) else { return fail() }
      merge(number, piece)
      let done = locked { ($0.merged, $0.rows) }
      report(done.0, done.1)
    }
  }

  private func fail() {
    locked { $0.hasFailed = true }
    pthread_cond_broadcast(isMerged)
  }

  /// The number of a piece to read, and memory for its steps.
  private func nextPiece() -> (UInt64, [SocketStep])? {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    // Not by `locked`: while it waits, others change the state.
    while isTooFarAhead { pthread_cond_wait(isMerged, lock) }
    guard !state.hasFailed, state.nextPiece * Self.pieceSize < size else { return nil }
    defer { state.nextPiece += 1 }
    return (state.nextPiece, state.spare.popLast() ?? [])
  }

  private var isTooFarAhead: Bool { !state.hasFailed && state.nextPiece >= state.merged + Self.mostWaiting }

  /// Puts the piece, and those that have waited for it, behind those before, unless somebody is at it.
  private func merge(_ number: UInt64, _ piece: RecordingPiece) {
    var next: RecordingPiece? = locked { state in
      state.waiting[number] = piece
      if state.isMerging { return nil }
      state.isMerging = true
      return Self.nextToMerge(&state)
    }
    while var piece = next {
      let fits = whole.append(piece)
      piece.steps.removeAll(keepingCapacity: true)
      next = locked { state in
        state.spare.append(piece.steps)
        state.merged += 1
        state.rows += piece.rows
        if !fits { state.hasFailed = true }
        return Self.nextToMerge(&state)
      }
      pthread_cond_broadcast(isMerged)
    }
  }

  private static func nextToMerge(_ state: inout State) -> RecordingPiece? {
    let next = state.hasFailed ? nil : state.waiting.removeValue(forKey: state.merged)
    if next == nil { state.isMerging = false }
    return next
  }

  /// Reads the rows that begin in the piece.
  ///
  /// - Returns: `nil` if one can't be read.
  private func read(
    _ number: UInt64, _ reader: inout TransitionReader, _ worker: Worker, _ steps: [SocketStep]
  ) -> RecordingPiece? {
    let limit = min((number + 1) * Self.pieceSize, size)
    guard let start = number == 0 ? firstRow : rowStart(from: number * Self.pieceSize - 1) else { return nil }
    var piece = RecordingPiece(start: start, end: start, worker: worker.number)
    worker.fold.begin(reusing: steps)
    reader.restart()
    guard readRows(&reader, &worker.fold, limit, &piece) else { return nil }
    piece.lines = reader.line
    (piece.steps, piece.newGroups) = worker.fold.end()
    return piece
  }

  private func readRows(
    _ reader: inout TransitionReader, _ fold: inout PieceFold, _ limit: UInt64, _ piece: inout RecordingPiece
  ) -> Bool {
    var offset = piece.start
    var row = Transition()
    while piece.start + reader.consumed < limit {
      guard let outcome = try? reader.next(&row) else { return false }
      switch outcome {
      case .row:
        piece.note(sequence: row.sequence)
        fold.receive(row)
      case .needsBytes:
        let count = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          // Hardly more than the piece: the rest would be read in vain.
          let wanted = min(room.count, Int(limit - min(offset, limit)) + 4096)
          return pread(descriptor, room.baseAddress, wanted, off_t(offset))
        }
        if count < 0 { return false }
        offset += UInt64(count)
      case .end:
        piece.end = piece.start + reader.consumed
        piece.wasCut = reader.wasCut
        return piece.end == size
      }
    }
    piece.end = piece.start + reader.consumed
    return true
  }

  /// Where the first row begins that doesn't begin at or before `offset`.
  private func rowStart(from offset: UInt64) -> UInt64? {
    var place = offset
    return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      while place < size {
        let count = pread(descriptor, room.baseAddress, room.count, off_t(place))
        guard count > 0 else { return nil }
        if let end = room[..<count].firstIndex(of: UInt8(ascii: "\n")) { return place + UInt64(end) + 1 }
        place += UInt64(count)
      }
      return size
    }
  }
}
