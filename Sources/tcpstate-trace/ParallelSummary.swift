import Glibc
import TCPStateCore
import TCPStateReport

/// `summary` of one big CSV recording, by all CPUs: each worker reads pieces of the file into stays of its own.
///
/// Stays add up in any order. Which sockets are open doesn't, so each piece tells what it opened and closed,
/// and these are put together in the order of the file. Whatever isn't plain sailing (a bad line, a
/// line end within quotes where a piece begins, more groups than are counted) gives up, for the general reader to do it.
///
/// Sendable, for its state is touched only by who has the lock.
final class ParallelSummary: @unchecked Sendable {
  /// What to make of the recording, the same for all workers.
  struct Task: Sendable {
    let path: String
    let keys: [SummaryKey]
    let filter: RowFilter
    let nullText: String
    let wanted: Set<Column>
  }

  /// Bytes of the file that are read at once.
  private static let pieceSize: UInt64 = 4 << 20
  /// It isn't worth it for less.
  private static let leastSize = 4 * pieceSize

  private struct State: ~Copyable {
    var total: StaySummary
    var nextPiece: UInt64 = 0
    var merged: UInt64 = 0
    var pieces: [UInt64: Piece] = [:]
    /// Where the piece that comes next must begin.
    var end: UInt64
    var hasFailed = false
    var wasCut = false
    var lost: UInt64 = 0
    var sequence: UInt64 = 0
    var lines: UInt64 = 1
    var rows: UInt64 = 0
  }

  /// What one piece tells besides its stays.
  private final class Piece {
    var summary: StaySummary
    var start: UInt64 = 0
    var end: UInt64 = 0
    var firstSequence: UInt64 = 0
    var lastSequence: UInt64 = 0
    var lost: UInt64 = 0
    var lines: UInt64 = 0
    var rows: UInt64 = 0
    var wasCut = false

    init(_ task: Task) { summary = StaySummary(keys: task.keys, filter: task.filter, isPart: true) }
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
  private var state: State
  private let lock: UnsafeMutablePointer<pthread_mutex_t>

  /// - Returns: `nil` where the general reader has to do it.
  init?(_ task: Task, needs: RecordingNeeds) {
    guard task.path != "-", ![".gz", ".zst", ".zstd"].contains(where: { task.path.hasSuffix($0) }) else { return nil }
    let descriptor = open(task.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, UInt64(status.st_size) >= Self.leastSize,
      let header = Self.header(descriptor, task), needs.missing(in: header.columns, .csv).isEmpty
    else {
      close(descriptor)
      return nil
    }
    self.task = task
    self.descriptor = descriptor
    size = UInt64(status.st_size)
    columns = header.columns
    state = State(total: StaySummary(keys: task.keys, filter: task.filter), end: header.end)
    lock = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
  }

  deinit {
    close(descriptor)
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  private func locked<Result: ~Copyable>(_ body: (inout State) -> Result) -> Result {
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
    guard let outcome = try? reader.next(&row), outcome == .needsBytes, reader.format == .csv, reader.knowsColumns
    else {
      return nil
    }
    return (reader.columns, UInt64(end + 1))
  }

  /// - Returns: `nil` where the general reader has to do it.
  func run(_ progress: inout ReadingProgress) -> Result? {
    let helpers = (1..<max(1, min(8, sysconf(Int32(_SC_NPROCESSORS_ONLN))))).compactMap { _ in start() }
    while work({ progress.show(read: min($0 * Self.pieceSize, size), of: size, rows: $1) }) {}
    for helper in helpers { pthread_join(helper, nil) }
    return locked { state in
      guard !state.hasFailed, state.end == size, !state.total.tally.isOverLimit else { return nil }
      var total = StaySummary(keys: [], filter: RowFilter())
      swap(&total, &state.total)
      var notes: [String] = []
      if state.wasCut {
        notes.append(
          "\(Message.printable(task.path)):\(state.lines + 1): the last line is cut short and was left out")
      }
      return Result(summary: total, lost: state.lost, notes: notes)
    }
  }

  /// Another thread that works as this one does.
  private func start() -> pthread_t? {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        // Retained for it above.
        let parallel = Unmanaged<ParallelSummary>.fromOpaque(context).takeRetainedValue()
        while parallel.work({ _, _ in }) {}
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      return nil
    }
    return thread
  }

  /// Reads pieces until there are no more, and hands over their stays.
  ///
  /// - Returns: false, so that it is done.
  private func work(_ tell: (_ pieces: UInt64, _ rows: UInt64) -> Void) -> Bool {
    // Little, so that the sockets stay in the CPU's cache beside it.
    var reader = TransitionReader(columns: columns, nullText: task.nullText, wanted: task.wanted, capacity: 128 << 10)
    var stays = StaySummary(keys: task.keys, filter: task.filter, isPart: true)
    while let number = nextPiece() {
      let piece = Piece(task)
      swap(&piece.summary, &stays)
      let isRead = read(number, &reader, piece)
      // The stays go on, the sockets stay with the piece.
      stays.takeStays(from: &piece.summary)
      let told = locked { state in
        if isRead, !stays.tally.isOverLimit { Self.merge(piece, number, &state) } else { state.hasFailed = true }
        return (state.merged, state.rows)
      }
      tell(told.0, told.1)
    }
    locked { $0.total.mergeStays(stays) }
    return false
  }

  private func nextPiece() -> UInt64? {
    locked { state in
      guard !state.hasFailed, state.nextPiece * Self.pieceSize < size else { return nil }
      defer { state.nextPiece += 1 }
      return state.nextPiece
    }
  }

  /// Puts the piece, and those that have waited for it, behind those before.
  private static func merge(_ piece: Piece, _ number: UInt64, _ state: inout State) {
    state.pieces[number] = piece
    while let next = state.pieces.removeValue(forKey: state.merged) {
      state.merged += 1
      guard next.start == state.end else {
        state.hasFailed = true
        return
      }
      state.end = next.end
      state.total.mergeSockets(&next.summary)
      state.lost += next.lost
      if next.firstSequence > state.sequence + 1, state.sequence > 0 {
        state.lost += next.firstSequence - state.sequence - 1
      }
      if next.rows > 0 { state.sequence = next.lastSequence }
      state.lines += next.lines
      state.rows += next.rows
      state.wasCut = next.wasCut
    }
  }

  /// Reads the rows that begin in the piece.
  ///
  /// - Returns: false if one can't be read.
  private func read(_ number: UInt64, _ reader: inout TransitionReader, _ piece: Piece) -> Bool {
    let limit = min((number + 1) * Self.pieceSize, size)
    guard let start = number == 0 ? locked({ $0.end }) : rowStart(from: number * Self.pieceSize - 1) else {
      return false
    }
    piece.start = start
    piece.end = start
    reader.restart()
    var offset = start
    var row = Transition()
    while piece.end < limit {
      guard let outcome = try? reader.next(&row) else { return false }
      switch outcome {
      case .row:
        if piece.rows == 0 {
          piece.firstSequence = row.sequence
        } else if row.sequence > piece.lastSequence + 1, piece.lastSequence > 0 {
          piece.lost += row.sequence - piece.lastSequence - 1
        }
        piece.lastSequence = row.sequence
        piece.rows += 1
        piece.summary.receive(row)
        piece.end = start + reader.consumed
      case .needsBytes:
        let count = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          // Hardly more than the piece: the rest would be read in vain.
          let wanted = min(room.count, Int(limit - min(offset, limit)) + 4096)
          return pread(descriptor, room.baseAddress, wanted, off_t(offset))
        }
        if count < 0 { return false }
        offset += UInt64(count)
      case .end:
        piece.end = start + reader.consumed
        piece.wasCut = reader.wasCut
        piece.lines = reader.line
        return piece.end == size
      }
    }
    piece.lines = reader.line
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
