// SPDX-License-Identifier: Apache-2.0

/// Programs of the BPF object, one bit each. Kernels differ in which of them they accept.
struct BPFPrograms: OptionSet, Hashable {
  let rawValue: Int
  static let transition = BPFPrograms(rawValue: 1)
  static let reader = BPFPrograms(rawValue: 2)
  static let transitionClassic = BPFPrograms(rawValue: 4)
  static let snapshotFiles = BPFPrograms(rawValue: 8)
  static let snapshotSockets = BPFPrograms(rawValue: 16)
  static let synAck = BPFPrograms(rawValue: 32)
  static let resetSent = BPFPrograms(rawValue: 64)
  static let transitionNested = BPFPrograms(rawValue: 128)
  static let aggregate = BPFPrograms(rawValue: 256)
  static let accepted = BPFPrograms(rawValue: 512)

  /// One program: its name, where it runs, and what isn't seen without it.
  struct Description {
    let program: BPFPrograms
    /// The name of its function in bpf/.
    let name: String
    /// Or the function; `nil` for an iterator.
    let tracepoint: String?
    /// For people; empty if nothing at all is seen without it.
    let loss: String
  }

  private static let setState = "sock:inet_sock_set_state"

  /// All programs, in the order in which they are attached, and in which missing ones are listed.
  static let all: [Description] = [
    Description(program: .transition, name: "transition", tracepoint: setState, loss: ""),
    Description(program: .transitionClassic, name: "transition_classic", tracepoint: setState, loss: ""),
    Description(program: .aggregate, name: "aggregate", tracepoint: setState, loss: ""),
    Description(
      program: .transitionNested, name: "transition_nested", tracepoint: setState,
      loss: "transitions in an interrupt of the tracer's own program counted as lost"),
    Description(
      program: .snapshotSockets, name: "snapshot_sockets", tracepoint: nil,
      loss: "no sockets older than the tracer and no end of TIME-WAIT"),
    Description(
      program: .snapshotFiles, name: "snapshot_files", tracepoint: nil,
      loss: "no owners of sockets older than the tracer"),
    Description(
      program: .reader, name: "reader", tracepoint: "tcp:tcp_rcv_space_adjust",
      loss: "owners not updated when another process reads"),
    Description(
      program: .accepted, name: "accepted", tracepoint: "inet_csk_accept()",
      loss: "which process accepts a connection seen up to a second later"),
    Description(
      program: .synAck, name: "syn_ack", tracepoint: "tcp:tcp_retransmit_synack", loss: "no half-open requests"),
    Description(
      program: .resetSent, name: "reset_sent", tracepoint: "tcp:tcp_send_reset",
      loss: "sent and received resets not distinguished"),
  ]

  /// The programs in this set.
  var descriptions: [Description] { Self.all.filter { contains($0.program) } }
}
