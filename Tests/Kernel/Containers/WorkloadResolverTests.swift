// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateKernel

/// What the files of runtimes say, in a tree of files as they make them.
@Suite struct WorkloadResolverTests {
  private static let id = "f54db4bad1b8803b3e0afa8d6079ccfac455b223bad84ae2157b15321094efe8"
  private static let uid = "8f1c2b3a-4d5e-6f70-8192-a3b4c5d6e7f8"

  /// A machine's files, removed with this value.
  private final class Machine {
    let root: String

    init() throws {
      let url = FileManager.default.temporaryDirectory.appendingPathComponent("tcpstate-\(UUID().uuidString)")
      root = url.path
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func write(_ path: String, _ text: String) throws {
      let file = URL(fileURLWithPath: root + path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }

    func process(_ pid: UInt32, _ cgroups: String) throws { try write("/proc/\(pid)/cgroup", cgroups) }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: root + path) }

    func names(_ path: String) -> ContainerNames { RuntimeFiles(root: root).names(of: CgroupPath(path)) }
  }

  // MARK: - Each runtime's files

  @Test func podman() throws {
    let machine = try Machine()
    try machine.write(
      "/var/lib/containers/storage/overlay-containers/containers.json",
      #"[{"id":"00","names":["other"],"metadata":"{\"id\":\"\#(Self.id)\"}"},{"id":"\#(Self.id)","names":["web","alias"],"flags":{"a":[1,{}]}}]"#
    )
    #expect(machine.names("/machine.slice/libpod-\(Self.id).scope") == ContainerNames(container: "web"))
    #expect(machine.names("/machine.slice/libpod-\(Self.id.dropLast()).scope") == ContainerNames())
  }

  @Test func rootlessPodman() throws {
    let machine = try Machine()
    try machine.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbad\nada:x:1000:1000:Ada:/home/ada:/bin/sh\n")
    try machine.write(
      "/home/ada/.local/share/containers/storage/overlay-containers/volatile-containers.json",
      #"[{"id":"\#(Self.id)","names":["web"]}]"#)
    let path = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-\(Self.id).scope"
    #expect(machine.names(path) == ContainerNames(container: "web"))
    // If the storage is out of reach, its monitor's command line is not.
    try machine.remove("/home")
    try machine.write("/proc/77/comm", "conmon\n")
    try machine.write(
      "/proc/77/cmdline", "/usr/bin/conmon\0--api-version\u{0}1\0-c\0\(Self.id)\0-u\0\(Self.id)\0-n\0web2\0")
    #expect(machine.names(path) == ContainerNames(container: "web2"))
  }

  @Test func docker() throws {
    let machine = try Machine()
    let file = "/var/lib/docker/containers/\(Self.id)/config.v2.json"
    try machine.write(
      file, #"{"ID":"\#(Self.id)","Config":{"Env":["Name=secret"],"Name":"no"},"State":{"Pid":7},"Name":"/web_1"}"#)
    #expect(machine.names("/docker/\(Self.id)") == ContainerNames(container: "web_1"))
    // A parent of one's own says nothing of the runtime.
    #expect(machine.names("/actions_job/\(Self.id)") == ContainerNames(container: "web_1"))
    try machine.write(file, #"{"Name":"/k8s_nginx_web-7d9f_default_\#(Self.uid)_0"}"#)
    #expect(
      machine.names("/docker/\(Self.id)")
        == ContainerNames(container: "nginx", pod: "web-7d9f", podNamespace: "default"))
  }

  @Test func kubernetesByLogs() throws {
    let machine = try Machine()
    let path = "/kubepods/burstable/pod\(Self.uid)/\(Self.id)"
    try machine.write("/var/log/pods/default_web-7d9f_\(Self.uid)/nginx/0.log", "")
    #expect(machine.names(path) == ContainerNames(pod: "web-7d9f", podNamespace: "default"))
    try machine.write("/var/log/containers/web-7d9f_default_nginx-\(Self.id).log", "")
    #expect(machine.names(path) == ContainerNames(container: "nginx", pod: "web-7d9f", podNamespace: "default"))
  }

  @Test func containerd() throws {
    let machine = try Machine()
    try machine.write(
      "/run/containerd/io.containerd.runtime.v2.task/k8s.io/\(Self.id)/config.json",
      #"{"process":{"env":["io.kubernetes.cri.container-name=no"],"args":["a\"b"]},"annotations":{"io.kubernetes.cri.container-name":"nginx","io.kubernetes.cri.sandbox-name":"web-7d9f","io.kubernetes.cri.sandbox-namespace":"default"},"linux":{}}"#
    )
    let all = ContainerNames(container: "nginx", pod: "web-7d9f", podNamespace: "default")
    #expect(machine.names("/kubepods/burstable/pod\(Self.uid)/\(Self.id)") == all)
    #expect(machine.names("/k8s.io/\(Self.id)") == all)
    try machine.write(
      "/run/containerd/io.containerd.runtime.v2.task/default/web/config.json",
      #"{"annotations":{"nerdctl/name":"blog"}}"#)
    #expect(machine.names("/k8s.io/web") == ContainerNames(container: "blog"))
  }

  @Test func crio() throws {
    let machine = try Machine()
    try machine.write(
      "/run/containers/storage/overlay-containers/\(Self.id)/userdata/config.json",
      #"{"annotations":{"io.kubernetes.container.name":"nginx","io.kubernetes.pod.name":"web","io.kubernetes.pod.namespace":"default"}}"#
    )
    let all = ContainerNames(container: "nginx", pod: "web", podNamespace: "default")
    #expect(machine.names("/kubepods.slice/kubepods-pod\(Self.uid).slice/crio-\(Self.id).scope") == all)
    try machine.remove("/run")
    try machine.write(
      "/var/lib/containers/storage/overlay-containers/containers.json",
      #"[{"id":"\#(Self.id)","names":["k8s_nginx_web_default_\#(Self.uid)_0"]}]"#)
    #expect(machine.names("/crio-\(Self.id)") == all)
  }

  // MARK: - Hostile files

  @Test(arguments: [
    "", "[", "{", "[{\"id\":", "[[[[[[", "{}", "null", "[{\"id\":\"\(id)\",\"names\":[",
    "[{\"id\":\"\(id)\",\"names\":7}]",
    "[{\"id\":\"\(id)\",\"names\":[]}]", "\u{0}\u{ff}", String(repeating: "[", count: 1 << 20),
    String(repeating: "{\"a\":", count: 1 << 18),
    "[{\"id\":\"\(id)\",\"names\":[\"\(String(repeating: "x", count: 9_000))\"]}]",
  ])
  func brokenList(_ text: String) throws {
    let machine = try Machine()
    try machine.write("/var/lib/containers/storage/overlay-containers/containers.json", text)
    try machine.write("/var/lib/docker/containers/\(Self.id)/config.v2.json", text)
    try machine.write("/run/containerd/io.containerd.runtime.v2.task/default/\(Self.id)/config.json", text)
    #expect(machine.names("/libpod-\(Self.id)") == ContainerNames())
    #expect(machine.names("/docker/\(Self.id)") == ContainerNames())
    #expect(machine.names("/k8s.io/\(Self.id)") == ContainerNames())
  }

  /// A FIFO in the place of a file that a user may write doesn't hold up the tracer, and a link isn't followed.
  @Test func noFiles() throws {
    let machine = try Machine()
    let folder = "/var/lib/docker/containers/\(Self.id)"
    try machine.write(folder + "/other.json", #"{"Name":"/web"}"#)
    let file = machine.root + folder + "/config.v2.json"
    try #require(mkfifo(file, 0o600) == 0)
    #expect(machine.names("/docker/\(Self.id)") == ContainerNames())
    try #require(unlink(file) == 0 && symlink("other.json", file) == 0)
    #expect(machine.names("/docker/\(Self.id)") == ContainerNames())
    try #require(unlink(file) == 0 && truncate(machine.root + folder + "/other.json", 8 << 20) == 0)
    try #require(rename(machine.root + folder + "/other.json", file) == 0)
    #expect(machine.names("/docker/\(Self.id)") == ContainerNames(), "larger than any that a runtime writes")
  }

  @Test func strings() {
    var document = JSONStrings(Array(#" { "a" : [ -1.5e3 , true , "x" , { } ] , "b\"c" : "d\u0041\n\/\ud83d" } "#.utf8))
    var found: [String: String] = [:]
    let isWhole = document.forEachMember { document, key in
      guard key.hasPrefix("b") else { return document.skip() }
      found[key] = document.string()
      return found[key] != nil
    }
    #expect(isWhole && found == ["b\"c": "dA\n/\u{fffd}"])
  }

  // MARK: - The resolver

  /// Each line of /proc/PID/cgroup counts: cgroup v1 has the container where v2 says nothing.
  @Test(arguments: [
    ("0::/machine.slice/libpod-\(id).scope\n", "web", ""),
    ("1:name=systemd:/machine.slice/libpod-\(id).scope\n0::/\n", "web", ""),
    ("12:memory:/libpod_parent/libpod-\(id)\n1:name=systemd:/\n", "web", ""),
    ("2:cpu,cpuacct:/\n1:name=systemd:/system.slice/nginx.service\n0::/init.scope\n", "", "init.scope"),
    ("1:name=systemd:/system.slice/nginx.service\n0::/\n", "", "nginx.service"), ("0::/\n", "", ""), ("junk\n", "", ""),
  ])
  func process(_ cgroups: String, _ container: String, _ unit: String) throws {
    let machine = try Machine()
    try machine.write(
      "/var/lib/containers/storage/overlay-containers/containers.json", #"[{"id":"\#(Self.id)","names":["web"]}]"#)
    try machine.process(7, cgroups)
    let workload = WorkloadResolver(root: machine.root).workload(cgroup: nil, pid: 7, name: ShortName("nginx"))
    #expect(workload.containerName.description == container && workload.unit.description == unit)
    #expect(workload.containerID.description == (container.isEmpty ? "" : Self.id))
  }

  /// What is gone keeps its name, as far as it is the same process.
  @Test func gone() throws {
    let machine = try Machine()
    let list = "/var/lib/containers/storage/overlay-containers/containers.json"
    try machine.write(list, #"[{"id":"\#(Self.id)","names":["web"]}]"#)
    try machine.process(7, "0::/libpod-\(Self.id)\n")
    let resolver = WorkloadResolver(root: machine.root)
    let first = resolver.workload(cgroup: nil, pid: 7, name: ShortName("nginx"))
    #expect(first.containerName == InternedText("web"))
    try machine.remove("/proc/7")
    try machine.remove(list)
    #expect(resolver.workload(cgroup: nil, pid: 7, name: ShortName("nginx")) == first)
    #expect(resolver.workload(cgroup: nil, pid: 7, name: ShortName("other")).isUnknown)
    #expect(resolver.workload(cgroup: nil, pid: 8, name: ShortName("nginx")).isUnknown)
  }

  /// A name that comes late is found by a later look, and only a few looks are made.
  @Test func lateName() throws {
    let machine = try Machine()
    try machine.process(7, "0::/libpod-\(Self.id)\n")
    let resolver = WorkloadResolver(root: machine.root)
    let early = resolver.workload(cgroup: nil, pid: 7, name: ShortName("nginx"))
    #expect(early.containerID == InternedText(Self.id) && early.containerName.isEmpty)
    try machine.write(
      "/var/lib/containers/storage/overlay-containers/containers.json", #"[{"id":"\#(Self.id)","names":["web"]}]"#)
    let deadline = Deadline(seconds: 10)
    while resolver.workload(cgroup: nil, pid: 7, name: ShortName("nginx")).containerName.isEmpty, !deadline.hasPassed {
      usleep(10_000)
    }
    #expect(resolver.workload(cgroup: nil, pid: 7, name: ShortName("nginx")).containerName == InternedText("web"))
  }

  @Test func running() throws {
    let machine = try Machine()
    try machine.process(1, "0::/init.scope\n")
    try machine.process(7, "0::/libpod-\(Self.id)\n")
    try machine.process(8, "0::/libpod-\(Self.id)\n")
    try machine.process(9, "0::/\n")
    try machine.write("/proc/self/cgroup", "0::/system.slice/x.service\n")
    let found = WorkloadResolver(root: machine.root).running()
    #expect(Set(found.map { "\($0.containerID)\($0.unit)" }) == [Self.id, "init.scope"] && found.count == 2)
  }

  /// This machine's own hierarchy: a cgroup is found by its id, and kept when it is gone.
  @Test(.enabled(if: Privilege.cgroupMount != nil && geteuid() == 0, "needs root and a cgroup v2 mount"))
  func byID() throws {
    let mount = try #require(Privilege.cgroupMount)
    let (parent, group) = ("\(mount)/tst-\(getpid())", "\(mount)/tst-\(getpid())/web.service")
    defer {
      rmdir(group)
      rmdir(parent)
    }
    try #require(mkdir(parent, 0o755) == 0 && mkdir(group, 0o755) == 0)
    var status = stat()
    try #require(stat(group, &status) == 0)
    let resolver = WorkloadResolver()
    let id = UInt64(status.st_ino)
    #expect(resolver.workload(cgroup: id, pid: nil, name: ShortName()).unit == InternedText("web.service"))
    try #require(rmdir(group) == 0)
    #expect(resolver.workload(cgroup: id, pid: nil, name: ShortName()).unit == InternedText("web.service"))
  }
}
