// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct WorkloadTests {
  private static let id = "f54db4bad1b8803b3e0afa8d6079ccfac455b223bad84ae2157b15321094efe8"

  private static func workload(
    id: String = "", container: String = "", pod: String = "", namespace: String = "", unit: String = ""
  ) -> Workload {
    var workload = Workload()
    workload.containerID = InternedText(id)
    workload.containerName = InternedText(container)
    workload.podName = InternedText(pod)
    workload.podNamespace = InternedText(namespace)
    workload.unit = InternedText(unit)
    return workload
  }

  // MARK: - Texts

  @Test func textsAreKeptOnce() {
    let texts = (0..<5_000).map { InternedText("text \($0)") }
    #expect(Set(texts).count == 5_000)
    for (number, text) in texts.enumerated() {
      #expect(text == InternedText("text \(number)") && text.description == "text \(number)")
    }
    #expect(InternedText("").isEmpty && InternedText("") == InternedText() && InternedText().description.isEmpty)
    #expect(InternedText(String(repeating: "x", count: 300)).count == InternedText.longest)
  }

  @Test(arguments: [
    ("web-1.x_y", true), ("a,b", false), ("a\"b", false), ("dev-\\x2d", false), ("é", false), ("\n", false),
  ])
  func plainness(_ text: String, _ isPlain: Bool) { #expect(InternedText(text).isPlain == isPlain) }

  @Test func textsOfManyThreads() async {
    let all = await withTaskGroup(of: [InternedText].self) { group in
      for _ in 0..<4 { group.addTask { (0..<20_000).map { InternedText("shared \($0 % 2_000)") } } }
      var all: [[InternedText]] = []
      for await texts in group { all.append(texts) }
      return all
    }
    #expect(Set(all.map { $0.prefix(2_000).map(\.description) }).count == 1)
    #expect(Set(all.flatMap { $0 }).count == 2_000)
  }

  // MARK: - Filters

  struct Wanted: Sendable {
    var containers: [String] = []
    var pods: [String] = []
    var units: [String] = []
    let matches: Bool
  }

  private static let wanted: [Wanted] = [
    Wanted(containers: ["nginx"], matches: true), Wanted(containers: ["ngin"], matches: false),
    Wanted(containers: [id], matches: true), Wanted(containers: ["f54"], matches: true),
    Wanted(containers: ["f5"], matches: false), Wanted(containers: ["54d"], matches: false),
    Wanted(containers: ["x", "ng*"], matches: true), Wanted(containers: ["*x"], matches: true),
    Wanted(containers: ["n*x*y"], matches: false), Wanted(containers: ["*"], matches: true),
    Wanted(pods: ["default/web-7d9f8c6b54-x2x9k"], matches: true),
    Wanted(pods: ["web-7d9f8c6b54-x2x9k"], matches: true),
    Wanted(pods: ["default/web-*"], matches: true), Wanted(pods: ["other/web-*"], matches: false),
    Wanted(pods: ["*/web-*"], matches: true), Wanted(pods: ["default/"], matches: false),
    Wanted(containers: ["nginx"], pods: ["other/*"], matches: false),
    Wanted(units: ["kubelet.service"], matches: true), Wanted(units: ["kubelet"], matches: false),
  ]

  @Test(arguments: wanted)
  func filter(_ wanted: Wanted) {
    var filter = WorkloadFilter()
    (filter.containers, filter.pods, filter.units) = (wanted.containers, wanted.pods, wanted.units)
    let workload = Self.workload(
      id: Self.id, container: "nginx", pod: "web-7d9f8c6b54-x2x9k", namespace: "default", unit: "kubelet.service")
    #expect(filter.wants(workload) == wanted.matches)
    #expect(!filter.wants(Workload()), "what isn't known is in none")
    #expect(!filter.isEmpty)
  }

  @Test func unitsOfPeople() {
    #expect(WorkloadFilter.unit("nginx") == "nginx.service" && WorkloadFilter.unit("a.scope") == "a.scope")
    #expect(WorkloadFilter.unit("app-*") == "app-*")
    #expect(WorkloadFilter().wants(Workload()) && WorkloadFilter().isEmpty)
  }

  @Test func rowsAreFiltered() {
    var filter = RowFilter()
    filter.workloads.containers = ["web"]
    #expect(!filter.wantsAll)
    var row = Transition()
    #expect(!filter.wants(row))
    row.workload = Self.workload(container: "web")
    #expect(filter.wants(row))
  }

  // MARK: - What people read

  @Test func shortIDs() {
    #expect(Self.workload(id: Self.id).containerText == "f54db4bad1b8")
    #expect(Self.workload(id: "my_web.1").containerText == "my_web.1")
    #expect(Self.workload(container: "web").shortContainerID == nil)
    #expect(Self.workload(pod: "p").podText == "p" && Self.workload(pod: "p", namespace: "n").podText == "n/p")
    #expect(Workload().isUnknown && !Self.workload(unit: "u").isUnknown && !Self.workload(unit: "u").isContainer)
  }
}
