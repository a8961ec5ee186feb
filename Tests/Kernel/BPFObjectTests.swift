// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CTCPStateEvent
import Testing

@testable import TCPStateKernel

/// The embedded object, opened but not loaded, which needs no rights.
@Suite final class BPFObjectTests {
  private let image: UnsafeRawBufferPointer
  private let object: OpaquePointer

  init() throws {
    libbpf_set_strict_mode(LIBBPF_STRICT_ALL)
    libbpf_set_print(nil)
    image = Base64.decode(EmbeddedObject.base64)
    object = try #require(bpf_object__open_mem(image.baseAddress, image.count, nil))
  }

  deinit {
    bpf_object__close(object)
    image.deallocate()
  }

  private func map(_ name: String) throws -> OpaquePointer {
    try #require(bpf_object__find_map_by_name(object, name), "\(name)")
  }

  /// The table of programs has every program of the object and its tracepoint.
  @Test func programs() throws {
    var sections: [String: String] = [:]
    var program = bpf_object__next_program(object, nil)
    while let found = program {
      sections[String(cString: bpf_program__name(found))] = String(cString: bpf_program__section_name(found))
      program = bpf_object__next_program(object, found)
    }
    #expect(Set(sections.keys) == Set(BPFPrograms.all.map(\.name)))
    for known in BPFPrograms.all {
      let section = try #require(sections[known.name])
      if let tracepoint = known.tracepoint {
        let event = tracepoint.replacing("()", with: "").split(separator: ":").last.map(String.init)
        #expect(section.split(separator: "/").last.map(String.init) == event, "\(known.name)")
      } else {
        #expect(section.hasPrefix("iter/"), "\(known.name)")
      }
    }
  }

  @Test func programsAreSingleBits() {
    var seen: BPFPrograms = []
    for known in BPFPrograms.all {
      #expect(known.program.rawValue.nonzeroBitCount == 1 && seen.isDisjoint(with: known.program), "\(known.name)")
      #expect(known.program.descriptions.map(\.name) == [known.name])
      seen.formUnion(known.program)
    }
    #expect(seen.descriptions.count == BPFPrograms.all.count)
  }

  /// The structs with which the object was compiled.
  @Test func sharedStructs() throws {
    #expect(Int(bpf_map__value_size(try map(".rodata"))) == MemoryLayout<tcpstate_config>.size)
    #expect(Int(bpf_map__value_size(try map(".bss"))) == MemoryLayout<tcpstate_shared>.size)
    #expect(Int(bpf_map__value_size(try map("stays"))) == MemoryLayout<tcpstate_stays>.size)
    #expect(Int(bpf_map__max_entries(try map("stays"))) == Int(TCPSTATE_STATES))
    #expect(Int(bpf_map__value_size(try map("tallies"))) == MemoryLayout<tcpstate_tally>.size)
    for name in ["local_networks", "peer_networks"] {
      #expect(Int(bpf_map__key_size(try map(name))) == MemoryLayout<tcpstate_network_key>.size)
    }
    for name in ["local_ports", "peer_ports"] { #expect(bpf_map__value_size(try map(name)) == 65_536 / 8) }
  }
}
