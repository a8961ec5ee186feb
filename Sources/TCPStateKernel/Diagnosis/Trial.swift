// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore

/// What came of loading and attaching the programs.
enum Trial: Sendable {
  /// Capabilities are missing.
  case notTried
  case failed(KernelError)
  case loaded(Result)

  struct Result: Sendable {
    var attachment = KernelAttachment.btf
    /// As `KernelSource.shortfall`.
    var shortfall: String?
    var failedAttachments: [FailedAttachment] = []
    var seesAccepts = true
    var tables = Tables.read(namespaces: 1, unreached: 0)
    var canReadHolders = true
    /// Why counting in the kernel isn't possible; `nil` if it is.
    var inKernelFailure: KernelError?
  }

  enum Tables: Sendable {
    /// The kernel has no iterator over them.
    case noIterator
    case failed(KernelError)
    /// Network namespaces whose tables were read, and those of which there are sockets and that weren't found.
    case read(namespaces: Int, unreached: Int)
  }

  /// Loads and attaches, reads the tables once, and detaches again.
  ///
  /// - Parameter seccomp: what it refuses isn't called, because it may kill whoever does.
  static func run(_ seccomp: Seccomp) -> Trial {
    guard Capabilities.missingForTracing.isEmpty else { return .notTried }
    guard !seccomp.refused.contains(.bpf)
    else { return .failed(KernelSource.refusal("load the BPF programs", errno: EPERM)) }
    var configuration = KernelConfiguration()
    if seccomp.refused.contains(.setns) { configuration.filter.netns = NetworkNamespaces.own }
    do throws(KernelError) {
      let source = try KernelSource(configuration)
      try source.attach()
      var result = Result()
      (result.attachment, result.shortfall) = (source.attachment, source.shortfall)
      (result.failedAttachments, result.seesAccepts) = (source.failedAttachments, source.seesAccepts)
      source.detach()
      result.canReadHolders = source.canReadHolders
      result.tables = tables(source)
      result.inKernelFailure = inKernelFailure()
      return .loaded(result)
    } catch {
      return .failed(error)
    }
  }

  private static func tables(_ source: KernelSource) -> Tables {
    guard source.canReadTables else { return .noIterator }
    do throws(KernelError) {
      let read = try source.readSockets(namespaces: try source.namespaces()) { _, _ in }
      return .read(namespaces: read.count, unreached: source.unreached.count)
    } catch {
      return .failed(error)
    }
  }

  private static func inKernelFailure() -> KernelError? {
    var configuration = KernelConfiguration()
    configuration.aggregates = true
    do throws(KernelError) {
      let source = try KernelSource(configuration)
      try source.attach()
      source.detach()
      return nil
    } catch {
      return error
    }
  }
}
