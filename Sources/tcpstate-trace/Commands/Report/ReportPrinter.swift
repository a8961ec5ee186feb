// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// What becomes of the rows of `report`: one document, whatever its format.
struct ReportPrinter<Document: ReportDocument & ~Copyable>: ~Copyable, OutputSink {
  private(set) var document: Document
  private let selection: LifecycleSelection
  private let limit: UInt64?
  private var file: OutputFile
  private var received: UInt64 = 0
  private var lost: UInt64 = 0
  /// ` in FILE`, unless it goes to standard output.
  private let place: String

  init(_ document: consuming Document, selection: LifecycleSelection, limit: UInt64?, output: String?) throws {
    self.document = document
    self.selection = selection
    self.limit = limit
    place = output.flatMap { $0 == "-" ? nil : " in \(Message.printable($0))" } ?? ""
    file = try OutputFile(path: output)
  }

  mutating func begin() throws { document.begin(to: &file.pending) }

  var wantsExisting: Bool { true }
  var descriptor: Int32 { file.descriptor }
  var isDone: Bool { file.isClosed || limit.map { received >= $0 } ?? false }
  var waiting: Int { file.waiting }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    lost.add(saturating: lossBefore)
    guard selection.mayMatter(row), !isDone else { return }
    if row.old != row.new { received += 1 }
    document.receive(row, lossBefore: lost, to: &file.pending)
    lost = 0
  }

  mutating func finish() {
    document.finish(to: &file.pending)
    file.complete()
  }

  mutating func flush() throws -> Bool { try file.flush() }

  func status(open: UInt64) -> String? {
    "\(NumberText.string(received)) transition\(received == 1 ? "" : "s"), \(NumberText.string(open)) connections open"
  }

  mutating func closing(_ ending: RunEnding) -> ClosingText {
    let count = document.count
    return ClosingText(text: "\(NumberText.string(count)) connection\(count == 1 ? "" : "s")\(place).\n")
  }
}
