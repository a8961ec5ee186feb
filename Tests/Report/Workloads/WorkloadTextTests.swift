// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import Testing

@Suite struct WorkloadTextTests {
  private static let id = "f54db4bad1b8803b3e0afa8d6079ccfac455b223bad84ae2157b15321094efe8"

  private static func workload(_ change: (inout Workload) -> Void) -> Workload {
    var workload = Workload()
    change(&workload)
    return workload
  }

  @Test func short() {
    #expect(WorkloadText.short(Workload()) == nil)
    #expect(WorkloadText.short(Self.workload { $0.unit = InternedText("nginx.service") }) == "nginx.service")
    #expect(WorkloadText.short(Self.workload { $0.containerID = InternedText(Self.id) }) == "f54db4bad1b8")
    let pod = Self.workload {
      $0.containerName = InternedText("nginx")
      $0.podName = InternedText("web-7d9f8c6b54-x2x9k")
      $0.unit = InternedText("kubelet.service")
    }
    #expect(WorkloadText.short(pod) == "web-7d9f8c6b54-x2x9k")
    #expect(WorkloadText.short(pod, width: 9) == "web-7d9f…")
    #expect(WorkloadText.short(pod, width: 9, glyphs: .ascii) == "web-7d9f~")
  }

  @Test func full() {
    #expect(WorkloadText.full(Workload()) == nil)
    #expect(WorkloadText.full(Self.workload { $0.unit = InternedText("nginx.service") }) == "nginx.service")
    let web = Self.workload {
      $0.containerID = InternedText(Self.id)
      $0.containerName = InternedText("web")
    }
    #expect(WorkloadText.full(web) == "container web (f54db4bad1b8)")
    let pod = Self.workload {
      $0 = web
      $0.podName = InternedText("web-7d9f8c6b54-x2x9k")
      $0.podNamespace = InternedText("default")
      $0.unit = InternedText("containerd.service")
    }
    #expect(
      WorkloadText.full(pod)
        == "container web (f54db4bad1b8) of pod default/web-7d9f8c6b54-x2x9k in containerd.service")
    #expect(WorkloadText.full(Self.workload { $0.containerID = InternedText(Self.id) }) == "container f54db4bad1b8")
  }

  /// A name that somebody chose never reaches the terminal as it is.
  @Test func hostileNames() {
    let hostile = Self.workload { $0.containerName = InternedText("\u{1b}[2J\u{202e}web\n") }
    #expect(WorkloadText.short(hostile) == "\\x1b[2J\\u202eweb\\x0a")
    #expect(WorkloadText.full(hostile) == "container \\x1b[2J\\u202eweb\\x0a")
    let wide = Self.workload { $0.containerName = InternedText("日本日本日本") }
    #expect(WorkloadText.short(wide, width: 6) == "日本…")
  }
}
