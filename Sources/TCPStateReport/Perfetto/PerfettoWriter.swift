// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The track of a connection's slices: a synthetic thread of its process.
struct PerfettoTrack {
  var pid: UInt64
  var tid: UInt64

  /// PID_MAX_LIMIT (include/linux/threads.h): no process has this id or a larger one.
  private static let firstFree: UInt64 = 4_194_304

  /// The process of connections whose owner isn't known.
  static let unknownOwner = firstFree
  /// For what doesn't belong to a connection: counters and losses.
  static let host = PerfettoTrack(pid: firstFree + 1, tid: firstFree + 1)

  /// - Parameters:
  ///   - pid: the connection's owner; `nil` if not known.
  ///   - number: how many connections were seen before it.
  init(pid: UInt32?, number: UInt64) {
    self.pid = pid.map { UInt64($0) } ?? Self.unknownOwner
    tid = Self.firstFree + 2 + number
  }

  private init(pid: UInt64, tid: UInt64) {
    self.pid = pid
    self.tid = tid
  }
}

/// A stay on a track; times are nanoseconds since the epoch.
struct PerfettoSlice {
  var state: TCPState
  var start: UInt64
  var end: UInt64
  /// The stay; `nil` while it continues.
  var stay: Stay?
  /// The state that followed; `nil` while the stay continues.
  var next: TCPState?
  var actor = ""
  var bytesSent: UInt64?
  var bytesReceived: UInt64?

  /// Whether an arrow can be bound to its beginning.
  var hasRoom: Bool { start < end }
}

/// Writes events in the Chrome Trace Event Format as Perfetto's importer accepts them, one per line.
///
/// The file is only an array, because then the importer accepts a truncated file; an array in an object has to be
/// closed. When the trace began, which an object would have in `otherData`, is an event at the start.
///
/// `ts` and `dur` are microseconds with three decimals, each made from whole nanoseconds: if they were rounded
/// separately, neighbours would overlap, and the importer drops overlapping slices. Times count from the start of
/// the trace, because nanoseconds since 1970 exceed the 53 bits of a double.
struct PerfettoWriter {
  /// The zero of all times, nanoseconds since the epoch.
  private var origin: UInt64 = 0
  private var isFirst = true

  /// - Parameter origin: when the trace begins; `nil` for one without rows.
  mutating func begin(origin: UInt64?, to buffer: inout ByteBuffer) {
    buffer.append("[")
    append(metadata: "process_name", .host, "\"TCP of this host\"", to: &buffer)
    append(metadata: "process_sort_index", .host, "-1", key: "sort_index", to: &buffer)
    append(metadata: "thread_name", .host, "\"start and losses\"", to: &buffer)
    guard let origin else { return }
    self.origin = origin
    open("i", .host, at: origin, to: &buffer)
    buffer.append(",\"s\":\"t\",\"cat\":\"start\",\"name\":\"\(TimeText.string(rfc3339: origin))\"")
    buffer.append(",\"args\":{\"start_unix_nano\":\"")
    buffer.append(decimal: origin)
    buffer.append("\"}}")
  }

  func end(to buffer: inout ByteBuffer) { buffer.append("\n]\n") }

  /// Names a track or its process; `value` is JSON.
  mutating func append(
    metadata name: String, _ track: PerfettoTrack, _ value: String, key: String = "name", to buffer: inout ByteBuffer
  ) {
    open("M", track, to: &buffer)
    buffer.append(",\"name\":\"\(name)\",\"args\":{\"\(key)\":\(value)}}")
  }

  mutating func append(
    _ slice: PerfettoSlice, of connection: UInt64, on track: PerfettoTrack, to buffer: inout ByteBuffer
  ) {
    open("X", track, at: slice.start, to: &buffer)
    buffer.append(",\"dur\":")
    buffer.append(slice.end - slice.start, decimals: 3)
    buffer.append(",\"cat\":\"\(slice.stay == nil ? "open" : "stay")\",\"name\":")
    buffer.append(json: slice.state.name(.rfc))
    buffer.append(",\"cname\":\"\(Self.color(of: slice.state))\"")
    buffer.append(",\"args\":{\"connection\":\"")
    buffer.append(hex16: connection)
    buffer.append(UInt8(ascii: "\""))
    if let stay = slice.stay {
      buffer.append(",\"duration_ns\":\"\(stay.nanoseconds)\",\"duration_kind\":\"\(stay.kind.name)\"")
    }
    if let next = slice.next {
      buffer.append(",\"next\":")
      buffer.append(json: next.name(.rfc))
    }
    if !slice.actor.isEmpty {
      buffer.append(",\"actor\":")
      buffer.append(json: slice.actor)
    }
    if let count = slice.bytesSent { buffer.append(",\"bytes_sent\":\(count)") }
    if let count = slice.bytesReceived { buffer.append(",\"bytes_received\":\(count)") }
    buffer.append("}}")
  }

  /// Appends a mark.
  ///
  /// - Parameter scope: `t` for the track, `g` for the whole trace.
  mutating func append(
    instant name: String, at time: UInt64, on track: PerfettoTrack, scope: Character, to buffer: inout ByteBuffer
  ) {
    open("i", track, at: time, to: &buffer)
    buffer.append(",\"s\":\"\(scope)\",\"cat\":\"\(scope == "t" ? "close" : "loss")\",\"name\":")
    buffer.append(json: name)
    buffer.append("}")
  }

  /// Appends an arrow between slices that are already written, from the beginning of one to that of the other.
  mutating func append(
    flow id: UInt64, _ name: StaticString, from source: PerfettoFlows.End, to target: PerfettoFlows.End,
    in buffer: inout ByteBuffer
  ) {
    open("s", source.track, at: source.time, to: &buffer)
    buffer.append(",\"cat\":\"flow\",\"name\":\"\(name)\",\"id\":\(id)}")
    open("f", target.track, at: target.time, to: &buffer)
    buffer.append(",\"bp\":\"e\",\"cat\":\"flow\",\"name\":\"\(name)\",\"id\":\(id)}")
  }

  mutating func append(counter state: TCPState, _ count: UInt64, at time: UInt64, to buffer: inout ByteBuffer) {
    open("C", .host, at: time, to: &buffer)
    buffer.append(",\"name\":")
    buffer.append(json: state.name(.rfc))
    buffer.append(",\"args\":{\"sockets\":\(count)}}")
  }

  /// The viewer's name of the colour that means the same as in our tables (`StateColor`): green flows, cyan opens, blue
  /// closes, grey is over, amber waits for a process on this host, red has no name.
  ///
  /// The names are those of the Trace Event Format (`base/color_scheme.html` in Catapult).
  private static func color(of state: TCPState) -> StaticString {
    switch state {
    case .established: "thread_state_running"
    case .listen, .synSent, .synReceived: "background_memory_dump"
    case .finWait1, .finWait2, .closing, .lastAck: "rail_response"
    case .timeWait, .closed: "grey"
    case .closeWait: "rail_idle"
    default: "terrible"
    }
  }

  private mutating func open(_ phase: Character, _ track: PerfettoTrack, at time: UInt64, to buffer: inout ByteBuffer) {
    open(phase, track, to: &buffer)
    buffer.append(",\"ts\":")
    buffer.append(time > origin ? time - origin : 0, decimals: 3)
  }

  private mutating func open(_ phase: Character, _ track: PerfettoTrack, to buffer: inout ByteBuffer) {
    if !isFirst { buffer.append(UInt8(ascii: ",")) }
    isFirst = false
    buffer.append("\n{\"ph\":\"\(phase)\",\"pid\":\(track.pid),\"tid\":\(track.tid)")
  }
}
