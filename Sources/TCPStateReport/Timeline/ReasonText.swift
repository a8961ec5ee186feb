import TCPStateCore

extension Reason {
  /// The reason in words, the same in the timeline, the ladder, the page and Perfetto's trace;
  /// `nil` where the states already say as much.
  ///
  /// The ladder words a few of them differently; `LifecycleLadder` says why.
  var words: StaticString? {
    switch self {
    case .resetReceived: "reset received"
    case .resetSent: "reset sent"
    case .timeout: "timed out"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .aborted: "aborted"
    case .killed: "killed"
    case .unaccepted: "never accepted"
    case .reused: "reused"
    case .timeWaitOverflow: "TIME-WAIT overflow"
    case .fin, .unknown: nil
    }
  }
}
