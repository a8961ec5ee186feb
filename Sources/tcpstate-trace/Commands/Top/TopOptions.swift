// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateReport

extension TopView.Order: ExpressibleByArgument {}
extension TopTheme: ExpressibleByArgument {}

/// What `top` begins with. What isn't given is as it was saved, or as usual.
struct TopOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Sort by worst, age, state, process, peer, bytes or retransmits.", valueName: "key"))
  var sort: TopView.Order?

  @Option(
    help: ArgumentHelp(
      "Columns: default for those that fit, all, or names: \(TopColumn.names).", valueName: "list"),
    completion: .list(["default", "all"] + TopColumn.allCases.map(\.rawValue)))
  var columns: String?

  @Option(help: "Colours for a dark or a light terminal, or mono: dark, light or mono.")
  var theme: TopTheme?

  @Flag(help: "Leave the mouse to the terminal.")
  var noMouse = false

  /// - Parameter settings: the saved ones.
  func apply(to settings: inout TopSettings) throws {
    if let sort { (settings.order, settings.isReversed) = (sort, false) }
    if let theme { settings.theme = theme }
    if noMouse { settings.mouse = false }
    guard let columns else { return }
    switch TopColumn.parse(columns) {
    case .success(let chosen): settings.columns = chosen
    case .failure(let unknown):
      let names = unknown.names.map { "'\(Message.printable($0))'" }.joined(separator: ", ")
      throw Failure(.usage, "--columns: no column is called \(names); there are \(TopColumn.names)")
    }
  }
}
