// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Why a record from the kernel side can't be used.
public enum DecodingFailure: Error, Equatable, Sendable {
  /// Shorter than a record of its kind.
  case truncated(length: Int, needed: Int)
  case unknownVersion(UInt8)
  case unknownKind(UInt8)
  /// Neither a cookie nor an address, so its socket can't be identified.
  case namesNoSocket
}

/// Checks a record of the ring buffer or of an iterator before it is read.
public enum EventDecoder {
  public static let eventSize = MemoryLayout<tcpstate_event>.size
  public static let snapshotSize = MemoryLayout<tcpstate_snapshot>.size

  /// Reads one ring-buffer record.
  ///
  /// - Parameter bytes: the record, borrowed for the call only; no alignment is needed.
  public static func event(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) -> tcpstate_event {
    try checkEvent(bytes)
    return bytes.loadUnaligned(as: tcpstate_event.self)
  }

  /// Checks one ring-buffer record and leaves it where it is.
  ///
  /// - Parameter bytes: the record, aligned to 8 bytes.
  /// - Returns: the record, valid as long as `bytes`.
  @inline(__always)
  public static func borrowed(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) -> UnsafePointer<tcpstate_event>
  {
    try checkEvent(bytes)
    guard let base = bytes.baseAddress else { throw .truncated(length: 0, needed: eventSize) }
    return base.assumingMemoryBound(to: tcpstate_event.self)
  }

  @inline(__always)
  private static func checkEvent(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) {
    try check(bytes, needed: eventSize)
    let kind = bytes[1]
    guard
      kind == TCPSTATE_KIND_TRANSITION || kind == TCPSTATE_KIND_RESET_SENT || kind == TCPSTATE_KIND_SYN_ACK
        || kind == TCPSTATE_KIND_OWNER
    else { throw .unknownKind(kind) }
    try checkName(bytes)
  }

  /// Reads one record of an iterator.
  ///
  /// - Parameter bytes: the record, borrowed for the call only; no alignment is needed.
  public static func snapshot(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) -> tcpstate_snapshot {
    try checkSnapshot(bytes)
    return bytes.loadUnaligned(as: tcpstate_snapshot.self)
  }

  /// Checks one record of an iterator.
  ///
  /// - Parameter bytes: the record; no alignment is needed.
  public static func checkSnapshot(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) {
    try check(bytes, needed: snapshotSize)
    let kind = bytes[1]
    guard
      kind == TCPSTATE_KIND_SOCKET || kind == TCPSTATE_KIND_TIMEWAIT || kind == TCPSTATE_KIND_REQUEST
        || kind == TCPSTATE_KIND_MPTCP
    else { throw .unknownKind(kind) }
    try checkName(bytes)
  }

  @inline(__always)
  private static func checkName(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) {
    let cookie = bytes.loadUnaligned(fromByteOffset: Int(TCPSTATE_OFFSET_COOKIE), as: UInt64.self)
    let address = bytes.loadUnaligned(fromByteOffset: Int(TCPSTATE_OFFSET_SOCKET_ADDRESS), as: UInt64.self)
    guard cookie != 0 || address != 0 else { throw .namesNoSocket }
  }

  @inline(__always)
  private static func check(_ bytes: UnsafeRawBufferPointer, needed: Int) throws(DecodingFailure) {
    guard bytes.count >= needed else { throw .truncated(length: bytes.count, needed: needed) }
    guard bytes[0] == TCPSTATE_EVENT_VERSION else { throw .unknownVersion(bytes[0]) }
  }
}
