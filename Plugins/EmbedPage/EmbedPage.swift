// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Embeds the report's page, Sources/TCPStateReport/Page/assets, as Swift source, by
/// the Makefile in that folder.
@main
struct EmbedPage: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let page = target.directoryURL.appending(path: "Page/assets")
    let sources = try FileManager.default
      .contentsOfDirectory(at: page, includingPropertiesForKeys: nil)
      .sorted { $0.path < $1.path }
    return [
      .buildCommand(
        displayName: "Embedding the report's page",
        executable: URL(fileURLWithPath: "/usr/bin/make"),
        arguments: [
          "--no-print-directory", "-s", "-C", page.path, "OUT=\(context.pluginWorkDirectoryURL.path)", "swift",
        ],
        inputFiles: sources,
        outputFiles: [context.pluginWorkDirectoryURL.appending(path: "EmbeddedPage.swift")])
    ]
  }
}
