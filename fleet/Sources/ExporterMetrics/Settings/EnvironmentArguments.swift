// SPDX-License-Identifier: Apache-2.0

/// Environment variables in the place of options: `TCPSTATE_EXPORTER_STUCK_OLDER_THAN` for `--stuck.older-than`.
///
/// The options and their forms come from the help text, so each option has its variable, and one that is added has one.
package struct EnvironmentArguments {
  package static let prefix = "TCPSTATE_EXPORTER_"

  /// One option as the help text shows it.
  package struct Option: Equatable {
    /// With its dashes.
    package let name: String
    package let takesValue: Bool
    /// Whether it may be given more than once.
    package let isRepeatable: Bool
    /// The form that turns a flag off; `nil` if there is none.
    package var inverse: String?

    package init(name: String, takesValue: Bool, isRepeatable: Bool, inverse: String? = nil) {
      (self.name, self.takesValue, self.isRepeatable, self.inverse) = (name, takesValue, isRepeatable, inverse)
    }

    package var variable: String {
      EnvironmentArguments.prefix
        + name.dropFirst(2).uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }
  }

  package let options: [Option]

  /// - Parameter help: ArgumentParser's help text: `  --name <value> ...  What it does.`
  package init(help: String) {
    var options: [Option] = []
    for line in help.split(separator: "\n") where line.hasPrefix("  -") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      // Flags with an inverse: --name/--no-name.
      guard let forms = words.first(where: { $0.hasPrefix("--") })?.split(separator: "/"), let name = forms.first
      else { continue }
      let rest = words.drop { !$0.hasPrefix("--") }.dropFirst()
      let takesValue = rest.first?.hasPrefix("<") == true
      var option = Option(
        name: String(name.filter { $0 != "," }), takesValue: takesValue,
        isRepeatable: takesValue && rest.dropFirst().first == "...")
      if forms.count > 1 { option.inverse = String(forms[1]) }
      options.append(option)
    }
    self.options = options.filter { $0.name != "--help" && $0.name != "--version" }
  }

  /// The arguments with those that the environment adds. What is on the command line counts, not the environment.
  ///
  /// - Parameter environment: all variables; those of others are passed over.
  package func adding(
    _ environment: [(name: String, value: String)], to arguments: [String]
  ) throws(EnvironmentError) -> [String] {
    var added: [String] = []
    for (name, value) in environment where name.hasPrefix(Self.prefix) {
      guard let option = options.first(where: { $0.variable == name }) else {
        throw EnvironmentError(
          description: "the environment variable \(name) is for no option; try 'tcpstate-exporter --help'")
      }
      if arguments.contains(where: { Self.gives($0, option) }) { continue }
      added += try Self.arguments(option, value)
    }
    return added + arguments
  }

  private static func gives(_ argument: String, _ option: Option) -> Bool {
    argument == option.name || argument == option.inverse || argument.hasPrefix(option.name + "=")
  }

  private static func arguments(_ option: Option, _ value: String) throws(EnvironmentError) -> [String] {
    if option.takesValue {
      guard option.isRepeatable else { return ["\(option.name)=\(value)"] }
      return value.split { $0 == "," || $0.isWhitespace }.map { "\(option.name)=\($0)" }
    }
    switch value.lowercased() {
    case "1", "true", "yes", "on": return [option.name]
    case "0", "false", "no", "off", "": return [option.inverse].compactMap { $0 }
    default: throw EnvironmentError(description: "\(option.variable): '\(value)' is neither true nor false")
    }
  }
}

/// A variable that is for no option, or that has no value for one.
package struct EnvironmentError: Error, CustomStringConvertible {
  package let description: String
}
