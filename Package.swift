// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// A binary that needs no libbpf on the machine it runs on is the default;
// distributions that want the shared library set TCPSTATE_LINK=dynamic.
let bpfLibraries: [LinkerSetting] =
  Context.environment["TCPSTATE_LINK"] == "dynamic"
  ? [.linkedLibrary("bpf")]
  : [.linkedLibrary(":libbpf.a"), .linkedLibrary(":libelf.a"), .linkedLibrary(":libz.a")]

let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "tcpstate-trace",
  products: [
    .executable(name: "tcpstate-trace", targets: ["tcpstate-trace"]),
    .library(name: "TCPStateCore", targets: ["TCPStateCore"]),
    .library(name: "TCPStateKernel", targets: ["TCPStateKernel"]),
    .library(name: "TCPStateLive", targets: ["TCPStateLive"]),
    .library(name: "TCPStateProgram", targets: ["TCPStateProgram"]),
    .library(name: "TCPStateReport", targets: ["TCPStateReport"]),
    .plugin(name: "EmbedVersion", targets: ["EmbedVersion"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    .target(name: "CTCPStateEvent"),
    .target(name: "CCells"),
    .target(name: "CFront"),
    .target(name: "CProbe"),
    .target(name: "CVerbose"),
    .systemLibrary(name: "CLibbpf"),
    .systemLibrary(name: "CLinux"),
    .target(name: "TCPStateCore", dependencies: ["CTCPStateEvent"], swiftSettings: swiftSettings),
    .target(
      name: "TCPStateKernel",
      dependencies: ["TCPStateCore", "CTCPStateEvent", "CLibbpf", "CLinux", "CProbe", "CVerbose"],
      swiftSettings: swiftSettings, linkerSettings: bpfLibraries, plugins: ["EmbedBPF"]),
    .target(
      name: "TCPStateLive", dependencies: ["TCPStateCore", "TCPStateKernel", "CTCPStateEvent", "CLinux"],
      swiftSettings: swiftSettings),
    .target(
      name: "TCPStateReport", dependencies: ["TCPStateCore", "CCells"], exclude: ["Page/assets"],
      swiftSettings: swiftSettings,
      plugins: ["EmbedPage"]),
    .target(
      name: "TCPStateProgram",
      dependencies: ["TCPStateCore", "TCPStateKernel", "TCPStateLive", "TCPStateReport", "CLibbpf", "CLinux"],
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "tcpstate-trace",
      dependencies: [
        "TCPStateCore", "TCPStateKernel", "TCPStateLive", "TCPStateProgram", "TCPStateReport", "CFront", "CLibbpf",
        "CLinux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings, plugins: ["EmbedVersion"]),
    .executableTarget(
      name: "example-count-transitions", dependencies: ["TCPStateLive"], path: "examples/count-transitions",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "example-read-recording", dependencies: ["TCPStateCore", "TCPStateReport"], path: "examples/read-recording",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "bench-pipeline", dependencies: ["TCPStateCore", "TCPStateReport", "CTCPStateEvent"],
      path: "bench/pipeline", exclude: ["records.c", "twin.c", "twin_connection.h", "twin_table.h", "twin_text.h"],
      swiftSettings: swiftSettings),
    .target(
      name: "TestSupport", dependencies: ["TCPStateCore"], path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    .testTarget(
      name: "TCPStateCoreTests", dependencies: ["TCPStateCore", "CTCPStateEvent", "TestSupport"], path: "Tests/Core",
      exclude: ["Fixtures", "Scenarios"], swiftSettings: swiftSettings),
    .testTarget(
      name: "TCPStateLiveTests", dependencies: ["TCPStateLive", "TCPStateCore", "TCPStateKernel", "TestSupport"],
      path: "Tests/Live", swiftSettings: swiftSettings),
    .testTarget(
      name: "TCPStateReportTests", dependencies: ["TCPStateCore", "TCPStateReport", "TestSupport"],
      path: "Tests/Report", exclude: ["Fixtures"], swiftSettings: swiftSettings),
    .testTarget(
      name: "TCPStateKernelTests",
      dependencies: ["TCPStateKernel", "TCPStateCore", "CTCPStateEvent", "CLibbpf", "CLinux", "TestSupport"],
      path: "Tests/Kernel", swiftSettings: swiftSettings),
    .testTarget(
      name: "CommandTests", dependencies: ["tcpstate-trace", "TCPStateCore", "TCPStateReport", "TestSupport"],
      path: "Tests/Command", exclude: ["Fixtures"], swiftSettings: swiftSettings),
    .testTarget(
      name: "PageTests", dependencies: ["TestSupport"], path: "Tests/Page", exclude: ["Fixtures", "peers"],
      swiftSettings: swiftSettings),
    .testTarget(
      name: "PrivilegedTests", dependencies: ["TCPStateKernel", "TestSupport"], path: "Tests/Privileged",
      exclude: ["peers"], swiftSettings: swiftSettings),
    .plugin(name: "EmbedBPF", capability: .buildTool()),
    .plugin(name: "EmbedVersion", capability: .buildTool()),
    .plugin(name: "EmbedPage", capability: .buildTool()),
  ]
)
