// SPDX-License-Identifier: Apache-2.0
/// How many sockets enter TIME-WAIT per second, from the ages of those that are there.
struct TimeWaitRate: Sendable {
  /// How long TIME-WAIT lasts, in seconds.
  static let lifetime = 60.0
  /// The rate is measured over this many seconds, or less if the load began later.
  private static let window = 10.0

  /// Whether any age is known.
  private(set) var isKnown = false
  private var entered = 0
  /// Of `entered`, those whose ports connect() may take over soon.
  private var enteredReused = 0
  private var leaving = 0
  /// In seconds, among `entered`.
  private var oldest = 0.0
  private var youngest = Double.infinity
  /// Whether some entered in the ten seconds before the window.
  private var isContinued = false
  private(set) var hasReused = false

  /// - Parameters:
  ///   - age: nanoseconds.
  ///   - isReused: whether connect() may take over its port.
  mutating func add(age: UInt64, isReused: Bool) {
    isKnown = true
    if isReused { hasReused = true }
    let seconds = Double(age) / 1e9
    if seconds >= Self.lifetime - Self.window, !isReused { leaving += 1 }
    if seconds >= Self.window, seconds < 2 * Self.window { isContinued = true }
    guard seconds < Self.window else { return }
    entered += 1
    if isReused { enteredReused += 1 }
    oldest = max(oldest, seconds)
    youngest = min(youngest, seconds)
  }

  /// Over the last ten seconds. If the load began within them, since then; 0 if it has ended.
  var perSecond: Double {
    guard entered > 0 else { return 0 }
    let rate: Double
    if isContinued || entered == 1 {
      rate = Double(entered) / Self.window
    } else if oldest - youngest >= 1 {
      rate = Double(entered - 1) / (oldest - youngest)
    } else {
      rate = Double(entered)
    }
    // The pause since the last one is too long for that rate.
    return youngest > max(1, 5 / rate) ? 0 : rate
  }

  /// Whether the load has gone on for long enough to foresee anything.
  var isSteady: Bool { isContinued || oldest - min(youngest, oldest) >= 2 }

  /// Which part of those that enter have ports that connect() may take over soon.
  var shareReused: Double { entered == 0 ? 0 : Double(enteredReused) / Double(entered) }

  /// By how many more ports are in use each second.
  var growth: Double {
    // Ports that are reused add up for a second or two only, but then fast.
    shareReused > 0.5 ? perSecond : perSecond * (1 - shareReused) - Double(leaving) / Self.window
  }
}
