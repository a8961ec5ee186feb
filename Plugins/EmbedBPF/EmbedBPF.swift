// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Compiles bpf/ with its own Makefile and embeds the object as Swift source, so that `swift build` alone
/// produces a complete binary.
@main
struct EmbedBPF: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    let package = context.package.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedObject.swift")
    let bpf = package.appending(path: "bpf")
    let sources = try [bpf, package.appending(path: "Sources/CTCPStateEvent/include")]
      .flatMap { try FileManager.default.contentsOfDirectory(at: $0, includingPropertiesForKeys: nil) }
      .filter { ["c", "h"].contains($0.pathExtension) || $0.lastPathComponent == "Makefile" }
      .sorted { $0.path < $1.path }
    return [
      .buildCommand(
        displayName: "Compiling bpf/tcpstate.bpf.c",
        executable: URL(fileURLWithPath: "/usr/bin/make"),
        arguments: [
          "--no-print-directory", "-s", "-C", bpf.path,
          "OUT=\(context.pluginWorkDirectoryURL.path)", "swift",
        ],
        inputFiles: sources,
        outputFiles: [output])
    ]
  }
}
