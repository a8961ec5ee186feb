// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore

/// Records as the kernel side makes them, field by field.
enum EventBuilder {
  static func transition(_ old: TCPState, _ new: TCPState, flags: Int32 = 0, error: UInt16 = 0) -> tcpstate_event {
    var event = tcpstate_event()
    event.version = UInt8(TCPSTATE_EVENT_VERSION)
    event.kind = UInt8(TCPSTATE_KIND_TRANSITION)
    event.state_old = old.number
    event.state_new = new.number
    event.flags = UInt16(flags)
    event.error = error
    event.slow_start_threshold = 0x7fff_ffff
    return event
  }

  static func set(
    _ address: IPAddress, at path: WritableKeyPath<tcpstate_event, Bytes16>, of event: inout tcpstate_event
  ) {
    withUnsafeMutableBytes(of: &event[keyPath: path]) { bytes in
      bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
  }

  static func set(_ name: ShortName, at path: WritableKeyPath<tcpstate_event, Bytes16>, of event: inout tcpstate_event)
  {
    withUnsafeMutableBytes(of: &event[keyPath: path]) { bytes in
      bytes.storeBytes(of: name.storage.0.littleEndian, as: UInt64.self)
      bytes.storeBytes(of: name.storage.1.littleEndian, toByteOffset: 8, as: UInt64.self)
    }
  }
}

/// A C array of 16 bytes.
typealias Bytes16 = (
  UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8,
  UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8, UInt8
)
