// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// Which recordings are read, and how.
struct RecordingInputs {
  let paths: [String]
  /// Lines that can't be read are left out and counted.
  var skipsBad = false
  /// Stands for unknown in CSV, like the empty cell.
  var nullText = ""
  let needs: RecordingNeeds
  /// The columns that the fold looks at; `nil` if it looks at all.
  var wanted: Set<Column>?

  /// Bytes of the buffer of each recording, which grows if a line is longer: a megabyte, and 16 of all together.
  var bufferSize: Int { min(1 << 20, max(1 << 16, (16 << 20) / max(1, paths.count))) }

  /// What messages call the recordings.
  var name: String {
    paths.count == 1
      ? paths[0] == "-" ? "standard input" : Message.printable(paths[0])
      : "the \(NumberText.string(UInt64(paths.count))) recordings"
  }
}

/// Rows of recordings, merged by time; no privileges are needed.
struct RecordingSession: ~Copyable {
  let inputs: RecordingInputs
  private var files: [RecordingInput] = []
  /// Those that have a row left.
  private var open: [RecordingInput] = []
  private var progress: ReadingProgress
  /// Events lost, by the gaps of the recordings.
  private(set) var lost: UInt64 = 0
  /// Rows read.
  private(set) var rows: UInt64 = 0
  /// Lines that couldn't be read.
  var leftOut: UInt64 { files.reduce(0) { $0 + $1.bad + $1.late } }

  /// Opens the recordings; nothing is read yet.
  ///
  /// - Parameter showsProgress: whether a terminal may show how far a long reading is.
  init(_ inputs: RecordingInputs, showsProgress: Bool) throws(Failure) {
    self.inputs = inputs
    progress = ReadingProgress(isShown: showsProgress && isatty(2) == 1)
    for path in inputs.paths { files.append(try RecordingInput(path: path, inputs)) }
  }

  /// The rows go to the terminal themselves.
  mutating func hideProgress() { progress = ReadingProgress(isShown: false) }

  /// Gives up what reading doesn't need; everything must be open by now.
  ///
  /// - Parameter filtering: whether other system calls are refused, too.
  mutating func confine(filtering: Bool = true) throws(Failure) {
    Confinement.dropRights()
    for input in files { try input.file.startTool() }
    if filtering { Confinement.filterCalls() }
  }

  /// The file, if it is one alone and its bytes come as they are; it stays this session's.
  var plainFile: Int32? { files.count == 1 ? files[0].file.plainDescriptor : nil }

  /// Reads up to the first row of each.
  mutating func begin() throws {
    do {
      for input in files where try advance(input, {}) {
        guard input.row.hasTime || files.count == 1 else {
          throw Failure(
            .badInput,
            "\(input.file.name):\(2): recordings are merged by time, and this one has none; read it alone")
        }
        open.append(input)
      }
    } catch {
      progress.clear()
      throw error
    }
  }

  /// How the reading ended.
  var ending: RunEnding {
    RunEnding(
      isRecorded: true, transitions: rows, lost: lost, leftOut: leftOut,
      cut: UInt64(files.count { $0.isCut }), name: inputs.name)
  }

  /// Folds all rows, after `begin`.
  ///
  /// - Parameters:
  ///   - receive: takes the next row and the events lost right before it; returns whether it wants more.
  ///   - idle: is called before more bytes are read, which may take time.
  mutating func forEach(
    _ receive: (_ row: inout Transition, _ lossBefore: UInt64) -> Bool, idle: () throws -> Void = {}
  ) throws {
    do {
      try read(receive, idle)
    } catch {
      progress.clear()
      throw error
    }
    progress.clear()
  }

  /// Says what isn't as it should be in the recordings, but is no error.
  func reportNotes() {
    for note in files.flatMap(\.notes) { Message.error(note) }
  }

  private mutating func read(_ receive: (inout Transition, UInt64) -> Bool, _ idle: () throws -> Void) throws {
    while !open.isEmpty {
      var first = 0
      if open.count > 1 {
        for index in 1..<open.count where open[index].row.time < open[first].row.time { first = index }
      }
      let input = open[first]
      var row = input.row
      lost.add(saturating: input.lossBefore)
      rows += 1
      guard receive(&row, input.lossBefore) else { return }
      if try !advance(input, idle) { open.remove(at: first) }
    }
  }

  private mutating func advance(_ input: RecordingInput, _ idle: () throws -> Void) throws -> Bool {
    try input.advance {
      try idle()
      showProgress()
    }
  }

  private mutating func showProgress() {
    guard progress.isShown else { return }
    progress.show(
      read: files.reduce(0) { $0 + $1.file.position },
      of: files.reduce(0) { total, input in total.flatMap { total in input.file.size.map { total + $0 } } },
      rows: files.reduce(0) { $0 + $1.rows })
  }
}
