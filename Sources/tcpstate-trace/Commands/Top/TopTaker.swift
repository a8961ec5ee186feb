// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// What `top` keeps of the transitions as they come.
struct TopTaker: ~Copyable {
  private let filter: RowFilter
  private var typedFilter = TopFilter("")
  private(set) var typed = ""
  var history: TopHistory
  /// Transitions of connections that all filters let through.
  private(set) var wanted: UInt64 = 0

  init(filter: RowFilter) {
    self.filter = filter
    history = TopHistory(localPorts: filter.localPorts)
  }

  /// Sets what is typed into the filter.
  mutating func setTyped(_ text: String) {
    guard text != typed else { return }
    typed = text
    typedFilter = TopFilter(text)
  }

  mutating func take(_ row: inout Transition, _ loss: UInt64, _ recorder: inout Recorder?) {
    recorder?.receive(&row, lossBefore: loss)
    if filter.wants(row), typedFilter.isEmpty || typedFilter.matches(TopRow(row)) { wanted += 1 }
    history.receive(row)
  }
}
