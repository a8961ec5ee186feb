// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// What others have put where root is to write.
  @Suite struct PlantedFileTests {
    private static let attacker = Unprivileged.user

    /// A folder, and a file elsewhere that must stay as it is.
    private final class Place {
      let folder: TemporaryFolder
      let elsewhere: TemporaryFolder
      let precious: String

      /// - Parameter owner: of the folder.
      init(mode: mode_t = 0o1777, owner: uid_t = 0) throws {
        folder = try TemporaryFolder()
        elsewhere = try TemporaryFolder()
        precious = elsewhere.file("precious")
        try "precious\n".write(toFile: precious, atomically: false, encoding: .utf8)
        chmod(folder.path, mode)
        chown(folder.path, owner, owner)
      }

      var output: String { folder.file("out.csv") }

      func plantLink(_ name: String = "out.csv", to target: String, owner: uid_t = PlantedFileTests.attacker) throws {
        try #require(symlink(target, folder.file(name)) == 0)
        try #require(lchown(folder.file(name), owner, owner) == 0)
      }

      /// Writes there as root.
      func write(_ path: String? = nil, environment: [String] = []) throws -> ChildProcess {
        try ChildProcess.run(
          ["env", "-u", "SUDO_UID", "-u", "SUDO_GID"] + environment + [
            Tracer.binary, "stuck", "--netns", "self", "--format", "csv", "--output", path ?? output,
          ])
      }

      func expectRefused(_ process: ChildProcess, _ word: String) throws {
        #expect(process.ending == .exited(74), "\(process.errorText)")
        #expect(process.errorLines.count == 1 && process.errorText.contains(word), "\(process.errorText)")
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious\n")
      }

      func expectWritten(_ process: ChildProcess, _ path: String? = nil) throws {
        #expect(process.ending == .exited(0) || process.ending == .exited(1), "\(process.errorText)")
        #expect(try String(contentsOfFile: path ?? output, encoding: .utf8).hasPrefix("timestamp,"))
      }
    }

    /// Anybody's folder as /tmp is, without the sticky bit, the attacker's own, and his group's.
    private static let folders: [(mode_t, UInt32)] = [
      (0o1777, 0), (0o777, 0), (0o755, attacker), (0o1755, attacker), (0o1777, attacker), (0o775, 0),
    ]

    @Test(arguments: folders)
    func symbolicLink(_ mode: mode_t, _ owner: UInt32) throws {
      let place = try Place(mode: mode, owner: owner)
      if mode == 0o775 { chown(place.folder.path, 0, Self.attacker) }
      try place.plantLink(to: place.precious)
      try place.expectRefused(place.write(), "symbolic link")
      // Nor does one that leads nowhere yet make a file there.
      let target = place.elsewhere.file("new")
      try place.plantLink("dangling", to: target)
      try place.expectRefused(place.write(place.folder.file("dangling")), "symbolic link")
      #expect(access(target, F_OK) != 0)
    }

    /// Links in a chain, in a safe folder: each step is looked at.
    @Test func chain() throws {
      let safe = try Place(mode: 0o755)
      let bad = try Place(mode: 0o1777)
      try bad.plantLink("step", to: bad.precious)
      try safe.plantLink(to: bad.folder.file("step"), owner: 0)
      try bad.expectRefused(safe.write(), "symbolic link")
      try safe.plantLink("loop", to: "loop", owner: 0)
      try safe.expectRefused(safe.write(safe.folder.file("loop")), "Too many levels")
    }

    @Test func linkedFolder() throws {
      let place = try Place()
      try place.plantLink("results", to: place.elsewhere.path)
      try place.expectRefused(place.write(place.folder.file("results/precious")), "symbolic link")
      try place.expectRefused(place.write(place.folder.file("results/new")), "symbolic link")
      #expect(access(place.elsewhere.file("new"), F_OK) != 0)
    }

    @Test func hardLink() throws {
      let place = try Place()
      try #require(link(place.precious, place.output) == 0)
      try place.expectRefused(place.write(), "hard link")
    }

    @Test func othersFile() throws {
      let place = try Place()
      try #require(FileManager.default.createFile(atPath: place.output, contents: Data("mine".utf8)))
      chown(place.output, Self.attacker, Self.attacker)
      try place.expectRefused(place.write(), "user \(Self.attacker)'s")
      #expect(try String(contentsOfFile: place.output, encoding: .utf8) == "mine")
    }

    /// With and without a reader: neither is written to, nor waited for.
    @Test(arguments: [false, true]) func fifo(isRead: Bool) throws {
      let place = try Place()
      try #require(mkfifo(place.output, 0o666) == 0)
      chown(place.output, Self.attacker, Self.attacker)
      let reader = isRead ? open(place.output, O_RDONLY | O_NONBLOCK) : -1
      defer { if reader >= 0 { close(reader) } }
      try place.expectRefused(place.write(), "user \(Self.attacker)'s")
    }

    /// Root's own link isn't followed either: the folder's owner can replace it, and anybody can move one there that
    /// root has made elsewhere.
    @Test(arguments: folders) func ownLink(_ mode: mode_t, _ owner: UInt32) throws {
      let place = try Place(mode: mode, owner: owner)
      if mode == 0o775 { chown(place.folder.path, 0, Self.attacker) }
      try place.plantLink(to: place.precious, owner: 0)
      try place.expectRefused(place.write(), "symbolic link")
      try place.expectRefused(
        place.write(environment: ["SUDO_UID=1000", "SUDO_GID=1000"]), "symbolic link")
    }

    /// A path is split at each slash, whatever follows it.
    @Test(arguments: ["\u{301}file", "\u{20dd}", "\u{200d}x", "\u{fe0f}"]) func combiningCharacters(_ name: String)
      throws
    {
      let place = try Place(mode: 0o755, owner: Self.attacker)
      try place.plantLink("link", to: place.elsewhere.path)
      try place.expectRefused(place.write(place.folder.file("link/\(name)")), "symbolic link")
      #expect(try FileManager.default.contentsOfDirectory(atPath: place.elsewhere.path) == ["precious"])
    }

    /// Names that another user exchanges all the time: root's file and a link to elsewhere, a folder and a link.
    @Test(arguments: ["out.csv", "sub/out.csv"]) func exchanged(_ name: String) throws {
      let place = try Place(mode: 0o1777, owner: Self.attacker)
      let isFolder = name != "out.csv"
      if isFolder {
        try FileManager.default.createDirectory(atPath: place.folder.file("sub"), withIntermediateDirectories: false)
        chown(place.folder.file("sub"), Self.attacker, Self.attacker)
        try FileManager.default.moveItem(atPath: place.precious, toPath: place.elsewhere.file("out.csv"))
      } else {
        try place.plantLink(to: "/dev/null", owner: 0)
      }
      let precious = isFolder ? place.elsewhere.file("out.csv") : place.precious
      try place.plantLink("evil", to: isFolder ? place.elsewhere.path : place.precious)
      let attacker = try ChildProcess(
        ["python3", "-B", Privileged.file("peers/exchange.py"), "\(Self.attacker)"]
          + [place.folder.path, isFolder ? "sub" : "out.csv", "evil"])
      try attacker.read(until: Deadline(seconds: 20), "the attacker") { $0.outputText.contains("exchanging") }
      for _ in 0..<40 {
        _ = try place.write(place.folder.file(name))
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious\n")
      }
    }

    /// Where nobody can have interfered all is as usual.
    @Test func trustedLinks() throws {
      let place = try Place()
      let safe = try Place(mode: 0o755)
      try safe.plantLink(
        to: "\(place.folder.path)/../\(URL(fileURLWithPath: safe.elsewhere.path).lastPathComponent)/new")
      try safe.expectWritten(safe.write(), safe.elsewhere.file("new"))
    }

    /// Whoever calls sudo may do anything anyway: his folder and links are as good as root's, and new files are his.
    @Test func callerOfSudo() throws {
      let place = try Place(mode: 0o755, owner: Self.attacker)
      let sudo = ["SUDO_UID=\(Self.attacker)", "SUDO_GID=\(Self.attacker)"]
      try place.plantLink(to: place.elsewhere.file("new"))
      try place.expectWritten(place.write(environment: sudo), place.elsewhere.file("new"))
      var status = stat()
      try #require(stat(place.elsewhere.file("new"), &status) == 0)
      #expect(status.st_uid == Self.attacker && status.st_gid == Self.attacker)
    }

    /// New files are for their owner alone; others keep their mode.
    @Test func mode() throws {
      let place = try Place()
      try place.expectWritten(place.write())
      var status = stat()
      try #require(stat(place.output, &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o600 && status.st_uid == 0)
      chmod(place.output, 0o640)
      try place.expectWritten(place.write())
      try #require(stat(place.output, &status) == 0)
      #expect(status.st_mode & 0o7777 == 0o640)
    }

    /// Descriptors that the shell has opened, as in `--output >(gzip)`.
    @Test(arguments: ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]) func descriptors(_ path: String) throws {
      let process = try Place().write(path)
      #expect(process.outputText.hasPrefix("timestamp,"), "\(process.errorText)")
    }
  }
}
