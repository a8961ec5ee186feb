// SPDX-License-Identifier: Apache-2.0

/// What `/` shows to a person.
public struct LandingPage: Sendable {
  public var name: String
  /// One sentence.
  public var summary: String
  public var version: String

  public init(name: String, summary: String, version: String) {
    self.name = name
    self.summary = summary
    self.version = version
  }

  var html: String {
    let name = Self.escaped(name)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>\(name)</title>
      <style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em }</style>
      </head>
      <body>
      <h1>\(name)</h1>
      <p>\(Self.escaped(summary))</p>
      <p>Version \(Self.escaped(version))</p>
      <ul>
      <li><a href="metrics">Metrics</a></li>
      <li><a href="healthz">Health</a></li>
      </ul>
      </body>
      </html>

      """
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}
