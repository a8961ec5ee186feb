// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel

/// What `--version` shows: which program this is, and what it is made of.
enum Version {
  /// `tcpstate-exporter 0.2.0 (commit 1fc843642f58, libbpf 1.1, Swift 6.3.1)`
  static let text =
    "tcpstate-exporter \(EmbeddedVersion.number) (commit \(EmbeddedVersion.commit), libbpf \(KernelSource.libbpfVersion), "
    + "Swift \(EmbeddedVersion.swift))"
}
