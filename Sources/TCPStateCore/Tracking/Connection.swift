// SPDX-License-Identifier: Apache-2.0

/// What the tracker keeps about one socket between its transitions.
///
/// Plain and small (the tests assert less than 200 bytes): a host may have a
/// million of them.
public struct Connection: BitwiseCopyable, Sendable {
  /// The cookie, or the socket's address where the kernel gives no cookie.
  public var key: UInt64 = 0
  /// The connection id in rows: the cookie, or a stand-in.
  public var id: UInt64 = 0
  /// When it entered `state`, CLOCK_MONOTONIC nanoseconds.
  public var entered: UInt64 = 0
  /// When the timer of a minisock or request will fire, CLOCK_MONOTONIC nanoseconds; 0 if unknown.
  public var expires: UInt64 = 0
  /// When it became a minisock, or was last seen as one in FIN-WAIT-2; CLOCK_MONOTONIC nanoseconds, 0 before.
  public var silentSince: UInt64 = 0
  public var cgroup: UInt64 = 0
  public var bytesSent: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  // Not stored as endpoints, whose padding would take 12 bytes.
  private var localAddress = IPAddress.unspecified
  private var peerAddress = IPAddress.unspecified
  public var ownerName = ShortName()
  public var ownerPID: UInt32 = 0
  public var userID: UInt32 = 0
  public var netns: UInt32 = 0
  public var interface: UInt32 = 0
  public var initialSendSequence: UInt32 = 0
  public var initialReceiveSequence: UInt32 = 0
  public var sendNext: UInt32 = 0
  public var receiveNext: UInt32 = 0
  public var rttMicroseconds: UInt32 = 0
  public var retransmits: UInt32 = 0
  /// The last reading of the kernel's tables that found it.
  public var pass: UInt32 = 0
  private var localPort: UInt16 = 0
  private var peerPort: UInt16 = 0
  public var flags = Flags()
  public var state = TCPState.closed
  public var role = Role.unknown
  public var closer: Closer?
  /// How `ownerPID` is known.
  public var ownerKind: OwnerKind?
  public var synAckRetransmits: UInt8 = 0

  public init() {}

  public var local: Endpoint {
    get { Endpoint(address: localAddress, port: localPort) }
    set { (localAddress, localPort) = (newValue.address, newValue.port) }
  }

  public var peer: Endpoint {
    get { Endpoint(address: peerAddress, port: peerPort) }
    set { (peerAddress, peerPort) = (newValue.address, newValue.port) }
  }

  public struct Flags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `entered` is exact. Without this flag the socket entered its state at that time or earlier.
    public static let enteredExactly = Flags(rawValue: 1)
    /// The initial sequence numbers are known.
    public static let sequenced = Flags(rawValue: 2)
    /// It existed before the tracer.
    public static let older = Flags(rawValue: 4)
    /// The full socket is gone and the kernel keeps a timewait minisock. Only the
    /// table sets this, and then also finds it by its addresses.
    public static let minisock = Flags(rawValue: 8)
    /// An iterator has seen the minisock or request, so its absence means that it ended.
    public static let confirmed = Flags(rawValue: 16)
    /// The byte counts are known.
    public static let counted = Flags(rawValue: 32)
    /// A half-open request, which has no socket yet.
    public static let request = Flags(rawValue: 64)
    public static let userKnown = Flags(rawValue: 128)
    /// It was tracked as a half-open request, so the tracker knows how long it was in SYN-RECEIVED.
    public static let wasRequest = Flags(rawValue: 256)
    /// Its owner became known or changed after its last row.
    public static let ownerChanged = Flags(rawValue: 512)
    /// shutdown() sent its FIN.
    public static let finByShutdown = Flags(rawValue: 1024)
    /// close() sent its FIN.
    public static let finByClose = Flags(rawValue: 2048)
    /// A half-open request whose listener was closed, so that nothing can accept it.
    public static let listenerClosed = Flags(rawValue: 4096)
    /// A half-open request for which one of several listeners was closed; whether its own isn't known.
    public static let listenerDoubtful = Flags(rawValue: 8192)
    /// Its counters were read from its socket, and not only at its last transition.
    public static let recounted = Flags(rawValue: 16384)
    /// A minisock whose addresses another connection has taken over: a half-open request that a reading found, or, of an
    /// orphan in FIN-WAIT-2, any.
    public static let takenOver = Flags(rawValue: 32768)
  }

  /// Whether only iterators show what becomes of it.
  public var isSilent: Bool { flags.contains(.minisock) || flags.contains(.request) }
}
