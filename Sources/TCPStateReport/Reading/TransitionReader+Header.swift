// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of a recording of ours, by its header or its first row.
extension TransitionReader {
  /// The columns of `--columns all` when the first recordings were written: one without a header may have
  /// as many, or any later number of all.
  static let firstCount = Column.resetReason.rawValue + 1

  /// The number of cells of one of our rows without a header before it; `nil` if it isn't one.
  static func cells(ofRow text: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    let cells = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard cells.count == Column.defaults.count || (firstCount...Column.allCases.count).contains(cells.count),
      let time = cells.first, time.count == 30, time.last == UInt8(ascii: "Z"),
      cells[1].allSatisfy({ $0 >= 48 && $0 <= 57 })
    else { return nil }
    return cells.count
  }

  mutating func readNames(_ text: Slice<UnsafeBufferPointer<UInt8>>) throws(RecordingError) {
    for name in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let bare = name.first == 34 && name.last == 34 && name.count > 1 ? name.dropFirst().dropLast() : name
      let text = String(decoding: bare, as: UTF8.self)
      let column = Column(csvName: text)
      if column == nil { foreignNames.append(text) }
      if let column, columns.contains(column) {
        throw RecordingError(line: 1, "has the column \(column.csvName) twice")
      }
      columns.append(column)
    }
    guard columns.contains(.stateNew) || columns.compactMap({ $0 }).count > 2 else {
      throw RecordingError(
        line: 1,
        "is not the first line of a recording by tcpstate-trace (csv, jsonl) or tcpstates: \(RecordingError.quoted(text))"
      )
    }
  }
}
