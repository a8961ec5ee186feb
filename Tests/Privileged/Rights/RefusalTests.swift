// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Wrong calls and missing rights: a status, and one line that helps.
  @Suite struct RefusalTests {
    @Test(arguments: [
      (["--no-such-option"], "--no-such-option"), (["--state", "ESTABLISHD"], "ESTABLISHD"),
      (["--state", "established,"], "--state"), (["-L", "65536"], "65536"), (["-L", "abc"], "abc"),
      (["-L", ""], "--local-port"), (["-D", "0"], "--remote-port"), (["--peer", "10.0.0.0/33"], "10.0.0.0/33"),
      (["--local", "10.0.0"], "10.0.0"), (["--netns", "/run/netns/no-such-namespace"], "no-such-namespace"),
      (["--netns", "/etc/passwd"], "/etc/passwd"), (["--buffer", "3000"], "3000"), (["--buffer", "12K"], "12K"),
      (["--buffer", "x"], "--buffer"), (["--format", "csv", "--columns", "pidd"], "pidd"),
      (["--format", "xml"], "xml"),
      (["--count", "0"], "--count"), (["--count", "-1"], "--count"), (["--for", "10x"], "--for"),
      (["--for", "0s"], "--for"),
      (["--longer-than", "fast"], "fast"), (["-4", "-6"], "-6"), (["--pid", "x"], "--pid"), (["--pid", "0"], "--pid"),
      (["--cgroup", "/etc"], "/etc"), (["--cgroup", "/no/such/group"], "/no/such/group"),
      (["--columns", "all"], "--columns"),
      (["--null", "-", "--format", "jsonl"], "--null"), (["--attach", "x"], "x"), (["one", "or", "two"], "or"),
    ])
    func usage(_ options: [String], _ named: String) throws {
      // A time limit, in case it traces after all; first, where a later one replaces it.
      let limit = options.contains("--for") ? [] : ["--for", "2s"]
      let process = try ChildProcess.run([Tracer.binary] + limit + options)
      #expect(process.ending == .exited(64), "\(options)")
      #expect(process.errorLines.count == 1, "\(process.errorText)")
      #expect(process.errorText.hasPrefix("tcpstate-trace: "), "\(process.errorText)")
      #expect(process.errorText.contains(named), "\(process.errorText)")
      #expect(process.output.isEmpty)
    }

    @Test func hostileArgumentsAreShownNotSent() throws {
      let process = try ChildProcess.run([Tracer.binary, "--state", "x\u{1b}[2Jy\nz"])
      #expect(process.ending == .exited(64))
      #expect(!process.errors.contains(0x1b))
      #expect(process.errorLines.count == 1)
    }

    @Test func noRoot() throws {
      let folder = try TemporaryFolder()
      // Where anybody may read it.
      try FileManager.default.copyItem(atPath: Tracer.binary, toPath: folder.file("tcpstate-trace"))
      chmod(folder.path, 0o755)
      let process = try ChildProcess.run([
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", folder.file("tcpstate-trace"), "--for", "2s",
      ])
      #expect(process.ending == .exited(77), "\(process.errorText)")
      #expect(process.errorLines.count == 1, "\(process.errorText)")
      #expect(process.errorText.contains("CAP_BPF") && process.errorText.contains("sudo"))
    }

    /// Root in name, without the capabilities: as in a container.
    @Test func rootWithoutCapabilities() throws {
      let process = try ChildProcess.run([
        "setpriv", "--bounding-set=-all", "--inh-caps=-all", Tracer.binary, "--for", "2s",
      ])
      #expect(process.ending == .exited(77), "\(process.errorText)")
      #expect(process.errorLines.count == 1, "\(process.errorText)")
      #expect(process.errorText.contains("CAP_"))
    }

    @Test func helpAndVersionNeedNoRights() throws {
      for option in ["--help", "--version"] {
        let process = try ChildProcess.run([Tracer.binary, option])
        #expect(process.ending == .exited(0))
        #expect(!process.output.isEmpty && process.errors.isEmpty)
      }
    }
  }
}
