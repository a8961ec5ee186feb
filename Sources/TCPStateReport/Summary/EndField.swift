// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of `summary --ends` in the machine formats, in their order, behind those of its keys.
public enum EndField: Int, CaseIterable, Sendable {
  case isOther, reason, ends

  public var declaration: ColumnDeclaration {
    switch self {
    case .isOther: SummaryField.isOther.declaration
    case .reason:
      ColumnDeclaration("reason", .words(MachineWords.reasonNames), "Why the connections ended.")
    case .ends:
      ColumnDeclaration(
        "ends", .wideInteger, unit: .connections,
        "How many sockets of connections went to `time_wait`, or to `closed` from another state, for that reason.")
    }
  }
}
