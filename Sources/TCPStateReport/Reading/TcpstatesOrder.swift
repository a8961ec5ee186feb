// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Puts the rows of each socket into the order in which they happened.
///
/// tcpstates reads one buffer per CPU after the other, so a row may be printed after one that happened later. What a
/// socket's rows say of each other shows it: each begins in the state in which the one before it ended. A row that
/// doesn't fit waits for the one that is missing, and not longer than for `patience` rows: then the missing one is lost.
struct TcpstatesOrder {
  /// One line, before anything is concluded from the socket's earlier ones.
  struct Line {
    var address: UInt64
    var pid: UInt32?
    var name: ShortName
    var row: Transition
    /// The number of the line, among those of all sockets.
    var number: UInt64 = 0

    /// Whether a socket's life begins with it.
    var opens: Bool { row.old == .closed || (row.old == .listen && row.new == .synReceived) }
  }

  private struct Socket {
    var state: TCPState?
    /// States that it has left in this life, a bit each by number.
    var left: UInt32 = 0
    var waiting: [Line] = []
  }

  /// More rows than one of tcpstates' buffers holds.
  static let patience: UInt64 = 8_192

  private var sockets: [UInt64: Socket] = [:]
  /// The sockets of lines that wait, in their order; some wait no longer.
  private var queue: [(number: UInt64, address: UInt64)] = []
  private var queueStart = 0
  private var count: UInt64 = 0
  /// Rows left out, because later rows of their socket had been handed on without waiting for them.
  private(set) var late: UInt64 = 0

  /// Takes the next line, and hands on those whose turn it is.
  mutating func add(_ line: Line, _ receive: (Line) -> Void) {
    count += 1
    var line = line
    line.number = count
    var socket = sockets[line.address] ?? Socket()
    if Self.follows(line, socket) {
      Self.handOn(line, &socket, receive)
      Self.handOnWaiting(&socket, receive)
    } else {
      socket.waiting.append(line)
      queue.append((count, line.address))
    }
    sockets[line.address] = socket
    release(until: count - min(count, Self.patience), receive)
  }

  /// Hands on what still waits, because no more lines will come.
  mutating func finish(_ receive: (Line) -> Void) { release(until: .max, receive) }

  private static func follows(_ line: Line, _ socket: Socket) -> Bool {
    guard let state = socket.state else { return true }
    return state == .closed || line.opens ? state == .closed && line.opens : line.row.old == state
  }

  private static func handOn(_ line: Line, _ socket: inout Socket, _ receive: (Line) -> Void) {
    if line.opens { socket.left = 0 }
    socket.left |= 1 << UInt32(line.row.old.number & 31)
    socket.state = line.row.new
    receive(line)
  }

  private static func handOnWaiting(_ socket: inout Socket, _ receive: (Line) -> Void) {
    while let index = socket.waiting.firstIndex(where: { follows($0, socket) }) {
      handOn(socket.waiting.remove(at: index), &socket, receive)
    }
  }

  /// Gives up waiting for what comes before these lines.
  private mutating func release(until number: UInt64, _ receive: (Line) -> Void) {
    while queueStart < queue.count, queue[queueStart].number <= number {
      let (number, address) = queue[queueStart]
      queueStart += 1
      guard var socket = sockets[address], let index = socket.waiting.firstIndex(where: { $0.number == number })
      else { continue }
      let line = socket.waiting.remove(at: index)
      if !line.opens, socket.left >> UInt32(line.row.new.number & 31) & 1 != 0 {
        // What followed it has been handed on: after that it would bring back a state long left.
        late += 1
      } else {
        Self.handOn(line, &socket, receive)
        Self.handOnWaiting(&socket, receive)
      }
      sockets[address] = socket
    }
    if queueStart > 4_096 {
      queue.removeFirst(queueStart)
      queueStart = 0
    }
  }
}
