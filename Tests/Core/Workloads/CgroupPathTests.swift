// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// Paths as runtimes and systemd make them, with the ids of their containers shortened to `ID`, `ID2` and `UID` here.
@Suite struct CgroupPathTests {
  private static let id = "f54db4bad1b8803b3e0afa8d6079ccfac455b223bad84ae2157b15321094efe8"
  private static let id2 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  private static let uid = "8f1c2b3a-4d5e-6f70-8192-a3b4c5d6e7f8"
  private static let uid_ = "8f1c2b3a_4d5e_6f70_8192_a3b4c5d6e7f8"
  /// The hash of a static pod's manifest.
  private static let hash = "9a0364b9e99bb480dd25e1f0284c8555"
  /// A task of ECS.
  private static let task = "29b0b94ac4e24c8e9a5e8b3f7a6d5c4e"

  struct Case: CustomTestStringConvertible, Sendable {
    let path: String
    var runtime: ContainerRuntime?
    var id: String?
    var name: String?
    var uid: String?
    var unit: String?
    var testDescription: String { path }

    init(
      _ path: String, _ runtime: ContainerRuntime? = nil, id: String? = nil, name: String? = nil, uid: String? = nil,
      unit: String? = nil
    ) {
      func full(_ text: String) -> String {
        text.replacing("ID2", with: CgroupPathTests.id2).replacing("UID_", with: CgroupPathTests.uid_)
          .replacing("UID", with: CgroupPathTests.uid).replacing("ID", with: CgroupPathTests.id)
      }
      self.path = full(path)
      self.runtime = runtime
      self.id = id.map(full)
      self.name = name
      self.uid = uid.map(full)
      self.unit = unit
    }
  }

  private static let cases: [Case] = [
    // No container.
    Case("/"), Case(""), Case("/init.scope", unit: "init.scope"),
    Case("/system.slice/nginx.service", unit: "nginx.service"),
    Case("/system.slice/system-postgresql.slice/postgresql@15-main.service", unit: "postgresql@15-main.service"),
    Case("/system.slice/dev-disk-by\\x2dlabel-swap.swap", unit: "dev-disk-by\\x2dlabel-swap.swap"),
    Case("/user.slice/user-1000.slice/session-3.scope", unit: "session-3.scope"),
    Case("/user.slice/user-1000.slice/user@1000.service/app.slice/app-web.service", unit: "app-web.service"),
    Case("/user.slice/user-1000.slice/user@1000.service/init.scope", unit: "user@1000.service"),
    Case("/machine.slice/systemd-nspawn@deb.service/payload", unit: "systemd-nspawn@deb.service"),
    Case("/system.slice"), Case("/.service"), Case("/process_api/5695f71479d02c305ff117dd47dc3818"),
    // docker: the systemd and the cgroupfs driver, and a parent that somebody chose.
    Case("/system.slice/docker-ID.scope", .docker, id: "ID"), Case("/docker/ID", .docker, id: "ID"),
    Case("/actions_job/ID", id: "ID"), Case("/my.slice/docker-ID.scope", .docker, id: "ID"),
    Case("/system.slice/docker.service", unit: "docker.service"),
    Case("/system.slice/docker-registry.service", unit: "docker-registry.service"),
    Case("/docker/ID/system.slice/nginx.service", .docker, id: "ID", unit: "nginx.service"),
    // podman: cgroupfs, systemd, rootless, with its own split, in a pod of its own, in a unit (quadlet).
    Case("/libpod_parent/libpod-ID", .podman, id: "ID"),
    Case("/machine.slice/libpod-ID.scope", .podman, id: "ID"),
    Case("/machine.slice/libpod-ID.scope/container", .podman, id: "ID"),
    Case("/machine.slice/machine-libpod_pod_ID2.slice/libpod-ID.scope/container", .podman, id: "ID"),
    Case(
      "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container", .podman, id: "ID",
      unit: "user@1000.service"),
    Case("/system.slice/web.service/libpod-payload-ID", .podman, id: "ID", unit: "web.service"),
    Case("/machine.slice/libpod-conmon-ID.scope"), Case("/libpod_parent/libpod-conmon-ID"),
    // Kubernetes: containerd and CRI-O by both drivers, all classes of service, a static pod, below a chosen root.
    Case("/kubepods/burstable/podUID/ID", id: "ID", uid: "UID"),
    Case("/kubepods/podUID/ID", id: "ID", uid: "UID"),
    Case("/kubepods/besteffort/pod\(hash)/ID", id: "ID", uid: hash),
    Case("/kubepods/burstable/podUID", uid: "UID"),
    Case(
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID_.slice/cri-containerd-ID.scope", .containerd,
      id: "ID", uid: "UID"),
    Case("/kubepods.slice/kubepods-podUID_.slice/crio-ID.scope", .crio, id: "ID", uid: "UID"),
    Case("/kubepods.slice/kubepods-podUID_.slice/crio-ID.scope/container", .crio, id: "ID", uid: "UID"),
    Case("/kubepods.slice/kubepods-podUID_.slice/crio-conmon-ID.scope", uid: "UID"),
    Case("/kubepods/burstable/podUID/crio-ID", .crio, id: "ID", uid: "UID"),
    Case("/kubepods.slice/kubepods-podUID_.slice/docker-ID.scope", .docker, id: "ID", uid: "UID"),
    Case(
      "/system.slice/containerd.service/kubepods-burstable-podUID_.slice:cri-containerd:ID", .containerd, id: "ID",
      uid: "UID", unit: "containerd.service"),
    Case(
      "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podUID_.slice/cri-containerd-ID.scope", .containerd,
      id: "ID", uid: "UID"),
    // A node of kind: the innermost container counts.
    Case("/docker/ID2/kubelet/kubepods/burstable/podUID/ID", id: "ID", uid: "UID"),
    Case(
      "/system.slice/docker-ID2.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podUID_.slice/cri-containerd-ID.scope",
      .containerd, id: "ID", uid: "UID"),
    Case("/system.slice/docker-ID2.scope/docker/ID", .docker, id: "ID"),
    // containerd without Kubernetes, whose clients choose the ids.
    Case("/k8s.io/ID", .containerd, id: "ID"), Case("/k8s.io/my_web.1", .containerd, id: "my_web.1"),
    Case("/system.slice:nerdctl:ID", .containerd, id: "ID"),
    Case("/system.slice/nerdctl-ID.scope", .containerd, id: "ID"),
    // LXC and ECS.
    Case("/lxc/web", .lxc, name: "web"),
    Case("/lxc.payload.web/system.slice/ssh.service", .lxc, name: "web", unit: "ssh.service"),
    Case("/lxc.monitor.web"),
    Case("/ecs/\(task)/ID", id: "ID"), Case("/ecs/\(task)/\(task)-1234567890", .ecs, id: "\(task)-1234567890"),
    // What nobody makes: no id that could lead out of a directory.
    Case("/kubepods/podUID/..", uid: "UID"), Case("/k8s.io/-x"), Case("/docker-.scope", unit: "docker-.scope"),
    Case("/libpod-a\u{1b}[31m"),
    Case("/podUID/", uid: "UID"), Case("/pod1234"), Case("/docker/ID2ID"), Case("/lxc.payload."),
  ]

  @Test(arguments: cases)
  func path(_ expected: Case) {
    let path = CgroupPath(expected.path)
    #expect(path.runtime == expected.runtime)
    #expect(path.containerID == expected.id)
    #expect(path.containerName == expected.name)
    #expect(path.podUID == expected.uid)
    #expect(path.unit == expected.unit)
  }

  @Test func userOfRootless() {
    #expect(
      CgroupPath("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-\(Self.id).scope").userID == 1000)
    #expect(CgroupPath("/user.slice/user-x.slice/session-1.scope").userID == nil)
  }

  /// No path takes long, and none is kept.
  @Test func hugePath() {
    #expect(CgroupPath(String(repeating: "/docker/\(Self.id)", count: 100_000)) == CgroupPath(""))
  }
}
