// SPDX-License-Identifier: Apache-2.0
import Testing

/// Runs tests that trace the machine one at a time, across suites and targets.
///
/// A tracer sees all traffic, holds each socket for a moment while it reads the tables, and is compared with
/// clocks, so another test's flood would disturb it.
public struct OneAtATime: TestTrait, SuiteTrait, TestScoping {
  public let isRecursive = true

  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    await Turn.shared.take()
    do {
      try await function()
    } catch {
      await Turn.shared.pass()
      throw error
    }
    await Turn.shared.pass()
  }
}

extension Trait where Self == OneAtATime {
  public static var oneAtATime: Self { OneAtATime() }
}

/// Whose turn it is to trace.
private actor Turn {
  static let shared = Turn()

  private var isTaken = false
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func take() async {
    guard isTaken else {
      isTaken = true
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  /// Passes the turn to the test that has waited longest.
  func pass() {
    guard !waiting.isEmpty else {
      isTaken = false
      return
    }
    waiting.removeFirst().resume()
  }
}
