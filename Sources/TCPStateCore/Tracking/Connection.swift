/// What the tracker keeps of one socket between its transitions.
///
/// Plain and small (asserted below 200 bytes in the tests): a host may have a
/// million of them.
public struct Connection: BitwiseCopyable, Sendable {
  /// Cookie, or the socket's address where the kernel gives no cookie.
  public var key: UInt64 = 0
  /// What rows call it: the cookie, or a stand-in.
  public var id: UInt64 = 0
  /// CLOCK_MONOTONIC nanoseconds at which it entered `state`.
  public var entered: UInt64 = 0
  /// When the timer of a minisock or request will fire, CLOCK_MONOTONIC; 0 unknown.
  public var expires: UInt64 = 0
  public var cgroup: UInt64 = 0
  public var bytesSent: UInt64 = 0
  public var bytesReceived: UInt64 = 0
  // Not as endpoints, whose padding would be 12 bytes.
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
  /// Which reading of the kernel's tables has last found it.
  public var pass: UInt32 = 0
  private var localPort: UInt16 = 0
  private var peerPort: UInt16 = 0
  public var flags = Flags()
  public var state = TCPState.closed
  public var role = Role.unknown
  public var closer: Closer?
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

    /// `entered` is when it entered the state; else it entered no later than that.
    public static let enteredExactly = Flags(rawValue: 1)
    /// The initial sequence numbers are filled.
    public static let sequenced = Flags(rawValue: 2)
    /// It was there before the tracer.
    public static let older = Flags(rawValue: 4)
    /// The full socket is gone and the kernel keeps a timewait minisock. Set by
    /// the table only, which then finds it by its addresses too.
    public static let minisock = Flags(rawValue: 8)
    /// An iterator has seen the minisock or request, so its absence is its end.
    public static let confirmed = Flags(rawValue: 16)
    /// The byte counts are filled.
    public static let counted = Flags(rawValue: 32)
    /// A half-open request: no socket yet.
    public static let request = Flags(rawValue: 64)
    public static let userKnown = Flags(rawValue: 128)
    /// It was known as a half-open request, so its time in SYN-RECEIVED is the tracker's.
    public static let wasRequest = Flags(rawValue: 256)
  }

  /// Whether only iterators tell what becomes of it.
  public var isSilent: Bool { flags.contains(.minisock) || flags.contains(.request) }
}
