// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Embeds which source and compiler the program is made of, as `--version` shows them.
///
/// Before every build, because the commit changes without any file of the target changing.
@main
struct EmbedVersion: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let package = context.package.directoryURL
    let inRoot = package.appending(path: "scripts/embed-version.sh")
    let script =
      FileManager.default.fileExists(atPath: inRoot.path)
      ? inRoot : package.appending(path: "../scripts/embed-version.sh")
    let output = context.pluginWorkDirectoryURL
    let compiler = (try? context.tool(named: "swiftc"))?.url.path ?? "swiftc"
    return [
      .prebuildCommand(
        displayName: "Embedding the version",
        executable: URL(fileURLWithPath: "/bin/sh"),
        arguments: [script.path, package.path, output.path, compiler],
        outputFilesDirectory: output)
    ]
  }
}
