// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// What serves or sends over the network is a package of its own, so that the process that holds CAP_BPF for the
// command line tool links no network code, and the root package keeps its one dependency.
let swiftSettings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
]

// libcrypt is the system's, like the C library, so that it gets its updates.
let webLibraries: [LinkerSetting] =
  [.linkedLibrary("crypt")]
  + (Context.environment["TCPSTATE_LINK"] == "dynamic"
    ? [.linkedLibrary("yaml"), .linkedLibrary("z")]
    : [.linkedLibrary(":libyaml.a"), .linkedLibrary(":libz.a")])

let package = Package(
  name: "tcpstate-fleet",
  products: [
    .executable(name: "tcpstate-exporter", targets: ["tcpstate-exporter"])
  ],
  dependencies: [
    .package(name: "tcpstate-trace", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
  ],
  targets: [
    .target(
      name: "ExporterMetrics",
      dependencies: [
        .product(name: "TCPStateCore", package: "tcpstate-trace"),
        .product(name: "TCPStateReport", package: "tcpstate-trace"),
      ],
      swiftSettings: swiftSettings),
    .systemLibrary(name: "CCrypt"),
    .systemLibrary(name: "CYAML"),
    .systemLibrary(name: "CZlib"),
    .target(
      name: "ExporterWeb",
      dependencies: [
        "CCrypt", "CYAML", "CZlib",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings,
      linkerSettings: webLibraries),
    .executableTarget(
      name: "tcpstate-exporter",
      dependencies: [
        "ExporterMetrics", "ExporterWeb",
        .product(name: "TCPStateCore", package: "tcpstate-trace"),
        .product(name: "TCPStateKernel", package: "tcpstate-trace"),
        .product(name: "TCPStateLive", package: "tcpstate-trace"),
        .product(name: "TCPStateProgram", package: "tcpstate-trace"),
        .product(name: "TCPStateReport", package: "tcpstate-trace"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings, plugins: [.plugin(name: "EmbedVersion", package: "tcpstate-trace")]),
    .testTarget(
      name: "ExporterMetricsTests", dependencies: ["ExporterMetrics"], path: "Tests/ExporterMetrics",
      swiftSettings: swiftSettings),
    .executableTarget(
      name: "example-serve-page", dependencies: ["ExporterWeb"], path: "Tests/serve-page", swiftSettings: swiftSettings),
    .testTarget(
      name: "ExporterWebTests", dependencies: ["ExporterWeb"], path: "Tests/ExporterWeb",
      swiftSettings: swiftSettings),
  ]
)
