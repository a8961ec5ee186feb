// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Network namespaces that no process is in and `ip netns` doesn't name.
  @Suite struct NamespacePlacesTests {
    enum Place: CaseIterable, Sendable {
      /// Mounted in another folder, as Docker's are.
      case folder
      /// The same, with a name that has to be escaped.
      case oddFolder
      /// Mounted where only another process sees it.
      case otherMountNamespace
      /// Only a descriptor of a process refers to it.
      case descriptor
      /// It was mounted where there is a FIFO now.
      case fifo

      static let allCases: [Place] = [.folder, .oddFolder, .otherMountNamespace, .descriptor]
    }

    /// A connection that nobody has accepted, in a namespace that is nowhere but in that place. Who listens isn't in it.
    private final class Hidden {
      let peer: Peer
      let inode: UInt64
      let port: Int
      private let folder = try? TemporaryFolder()
      private var keeper: ChildProcess?
      private(set) var path: String?

      init(_ place: Place) throws {
        let namespace = try NetworkNamespace()
        inode = namespace.inode
        peer = try Privileged.peer(in: namespace)
        port = try peer.ask("listen l 127.0.0.1").port
        try peer.ask("connect c 127.0.0.1 \(port)")
        try peer.ask("close c")
        try peer.ask("enter /proc/\(getpid())/ns/net")
        try put(namespace, place)
      }

      deinit {
        if let path { _ = try? ChildProcess.run(["umount", path]) }
      }

      private func put(_ namespace: NetworkNamespace, _ place: Place) throws {
        let file = try #require(folder).file(place == .oddFolder ? "a b\\c" : "namespace")
        let mount = "touch \"$1\" && mount --bind \"$0\" \"$1\""
        switch place {
        case .folder, .oddFolder:
          let made = try ChildProcess.run(["sh", "-c", mount, namespace.path, file])
          #expect(made.ending == .exited(0), "\(made.errorText)")
          path = file
        case .otherMountNamespace:
          keeper = try ChildProcess([
            "unshare", "-m", "sh", "-c", mount + " && echo ready && read x", namespace.path, file,
          ])
        case .fifo:
          let over = " && mkfifo \"$1.fifo\" && mount --bind \"$1.fifo\" \"$1\" && echo ready && read x"
          keeper = try ChildProcess(["unshare", "-m", "sh", "-c", mount + over, namespace.path, file])
        case .descriptor:
          keeper = try ChildProcess(["sh", "-c", "exec 3<\"$0\" && echo ready && read x", namespace.path])
        }
        try keeper?.read(until: Deadline(seconds: 30), "the namespace to be kept") { $0.outputText.contains("ready") }
        // With this scope `namespace` goes, and its name with it.
      }
    }

    private static func stuck(_ options: [String]) throws -> ChildProcess {
      try ChildProcess.run([Tracer.binary, "stuck", "--format", "csv", "--older-than", "0s", "--strict"] + options)
    }

    @Test(arguments: Place.allCases) func found(_ place: Place) throws {
      let hidden = try Hidden(place)
      var selections = [["-L", "\(hidden.port)"], ["--netns", "\(hidden.inode)"]]
      if let path = hidden.path { selections.append(["--netns", path]) }
      for selection in selections {
        let run = try Self.stuck(selection)
        #expect(run.ending == .exited(1), "\(selection): \(run.errorText)")
        let rows = try CSVTable(run.output).rows.filter { $0["netns"] == "\(hidden.inode)" }
        #expect(rows.map { $0["verdict"] } == ["unaccepted"])
        #expect(rows.map { $0["listener_pid"] } == ["\(hidden.peer.pid)"])
      }
    }

    /// A container may mount a FIFO where it had the namespace, and keep whoever opens it waiting.
    @Test func mountedOver() throws {
      let hidden = try Hidden(.fifo)
      for selection in [["-L", "\(hidden.port)"], ["--netns", "\(hidden.inode)"]] {
        let run = try Self.stuck(selection)
        #expect(run.ending == .exited(3), "\(selection): \(run.errorText)")
        #expect(try CSVTable(run.output).rows.isEmpty)
      }
    }

    /// A namespace that is nowhere isn't said to be empty.
    @Test func nowhere() throws {
      let run = try ChildProcess.run([Tracer.binary, "stuck", "--netns", "1", "--strict"])
      #expect(run.ending == .exited(3))
      #expect(run.errorText.contains("No socket that can be seen from here"))
      #expect(run.errorText.contains("1 network namespace not read"))
    }
  }
}
