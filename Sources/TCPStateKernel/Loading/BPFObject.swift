// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CTCPStateEvent
import Glibc
import TCPStateCore

/// Owns the loaded BPF object: its programs and maps are released with it.
struct BPFObject: ~Copyable {
  private let object: OpaquePointer
  let plan: LoadPlan
  var programs: BPFPrograms { plan.programs }
  let ringBytes: Int
  /// Valid as long as the object.
  let shared: SharedMemory
  private let sharedPage: UnsafeMutableRawPointer

  /// Opens, configures and loads.
  init(
    image: UnsafeRawBufferPointer, plan: LoadPlan, filter: KernelFilter, ringBytes: Int
  ) throws(LoadFailure) {
    var options = bpf_object_open_opts()
    options.sz = MemoryLayout<bpf_object_open_opts>.size
    let opened = "tcpstate".withCString { name in
      options.object_name = name
      return bpf_object__open_mem(image.baseAddress, image.count, &options)
    }
    guard let opened else { throw LoadFailure(step: "open", code: errno) }
    do throws(LoadFailure) {
      for known in BPFPrograms.all {
        bpf_program__set_autoload(
          bpf_object__find_program_by_name(opened, known.name), plan.programs.contains(known.program))
      }
      for map in ["entered", "stays", "tallies"] where !plan.programs.contains(.aggregate) {
        bpf_map__set_autocreate(bpf_object__find_map_by_name(opened, map), false)
      }
      bpf_map__set_max_entries(bpf_object__find_map_by_name(opened, "events"), UInt32(ringBytes))
      try Self.configure(opened, plan, filter, ringBytes)
      let code = bpf_object__load(opened)
      guard code == 0 else { throw LoadFailure(step: "load", code: -code) }
      try Self.fillMaps(opened, filter)
      sharedPage = try Self.mapShared(opened)
    } catch {
      bpf_object__close(opened)
      throw error
    }
    shared = SharedMemory(at: sharedPage)
    object = opened
    self.plan = plan
    self.ringBytes = ringBytes
  }

  deinit {
    munmap(sharedPage, Self.pageSize)
    bpf_object__close(object)
  }

  struct LoadFailure: Error {
    /// What failed: "load", "fill local_ports".
    let step: String
    /// An errno.
    let code: Int32
  }

  func map(_ name: String) -> Int32 {
    bpf_map__fd(bpf_object__find_map_by_name(object, name))
  }

  /// - Parameter program: one of those that are loaded.
  func program(_ program: BPFPrograms) -> OpaquePointer? {
    program.descriptions.first.flatMap { bpf_object__find_program_by_name(object, $0.name) }
  }

  private static let pageSize = sysconf(Int32(_SC_PAGESIZE))

  private static func configure(
    _ object: OpaquePointer, _ plan: LoadPlan, _ filter: KernelFilter, _ ringBytes: Int
  ) throws(LoadFailure) {
    var size = 0
    let rodata = bpf_object__find_map_by_name(object, ".rodata")
    // Safe: the section holds the one variable `config`, and its size is checked.
    guard let value = bpf_map__initial_value(rodata, &size), size == MemoryLayout<tcpstate_config>.size
    else { throw LoadFailure(step: "configure", code: EINVAL) }
    var config = tcpstate_config()
    config.wake_bytes = UInt64(min(1 << 20, ringBytes / 8))
    config.plain = plan.isPlain ? 1 : 0
    config.filters = filter.isEmpty ? 0 : 1
    config.filter_family = UInt32(filter.family ?? 0)
    config.filter_netns = filter.netns ?? 0
    config.filter_cgroup = filter.cgroup?.id ?? 0
    config.filter_cgroup_level = filter.cgroup.map { $0.level ?? TCPSTATE_ANY_LEVEL } ?? 0
    config.pid_namespace = Surroundings.current.pidNamespace ?? 0
    config.filter_local_port =
      filter.localPorts != nil
      ? UInt32(TCPSTATE_PORT_LOCAL) : filter.eitherPorts != nil ? UInt32(TCPSTATE_PORT_EITHER) : 0
    config.filter_peer_port = filter.peerPorts == nil ? 0 : 1
    config.filter_local_network = filter.localNetworks.isEmpty ? 0 : 1
    config.filter_peer_network = filter.peerNetworks.isEmpty ? 0 : 1
    UnsafeMutableRawPointer(mutating: value).storeBytes(of: config, as: tcpstate_config.self)
  }

  private static func fillMaps(_ object: OpaquePointer, _ filter: KernelFilter) throws(LoadFailure) {
    for (name, ports) in [("local_ports", filter.localPorts ?? filter.eitherPorts), ("peer_ports", filter.peerPorts)] {
      guard let ports else { continue }
      var key: UInt32 = 0
      let fd = bpf_map__fd(bpf_object__find_map_by_name(object, name))
      guard bpf_map_update_elem(fd, &key, ports.words, 0) == 0
      else { throw LoadFailure(step: "fill \(name)", code: errno) }
    }
    for (name, networks) in [("local_networks", filter.localNetworks), ("peer_networks", filter.peerNetworks)] {
      let fd = bpf_map__fd(bpf_object__find_map_by_name(object, name))
      for network in networks {
        var key = tcpstate_network_key()
        key.prefix_length = UInt32(network.prefixLength)
        withUnsafeMutableBytes(of: &key.address) { bytes in
          bytes.storeBytes(of: network.address.high.bigEndian, as: UInt64.self)
          bytes.storeBytes(of: network.address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        var version: UInt8 = network.isIPv4 ? 4 : 6
        guard bpf_map_update_elem(fd, &key, &version, 0) == 0
        else { throw LoadFailure(step: "fill \(name)", code: errno) }
      }
    }
  }

  private static func mapShared(_ object: OpaquePointer) throws(LoadFailure) -> UnsafeMutableRawPointer {
    let fd = bpf_map__fd(bpf_object__find_map_by_name(object, ".bss"))
    let address = mmap(nil, pageSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
    guard let address, address != MAP_FAILED else { throw LoadFailure(step: "map the counters", code: errno) }
    return address
  }
}
