// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateReport

/// The bytes of a recording: of a file, of standard input, or of what `gzip` or `zstd` makes of a file.
///
/// The system's tools decompress: they are there where such files are, they use
/// the other CPU, and nothing needs to be linked for it.
final class RecordingFile {
  /// What messages call it.
  let name: String
  /// Of the file, compressed as it is; `nil` if it isn't a file.
  let size: UInt64?
  /// Whether the compressed file ends before its time.
  private(set) var isTruncated = false

  /// The file, or standard input.
  private let source: Int32
  /// What is read: `source`, or the pipe from the tool.
  private var descriptor: Int32
  private var errors: Int32 = -1
  private var child: (pid: pid_t, tool: String)?
  /// What decompresses it and is still to be started.
  private var tool: String?
  private var taken: UInt64 = 0

  init(path: String) throws(Failure) {
    name = path == "-" ? "standard input" : Message.printable(path)
    source = path == "-" ? 0 : RawText.withPath(path) { open($0, O_RDONLY | O_CLOEXEC) }
    guard source >= 0 else { throw Self.failure(name, errno) }
    var status = stat()
    guard fstat(source, &status) == 0 else { throw Self.failure(name, errno) }
    size = status.st_mode & S_IFMT == S_IFREG ? UInt64(status.st_size) : nil
    descriptor = source
    try FileClaims.read(status, name)
    tool = Self.tool(for: path)
  }

  deinit {
    if descriptor != source { close(descriptor) }
    if source > 0 { close(source) }
    if errors >= 0 { close(errors) }
    guard let child else { return }
    // Its pipe is closed, so it ends.
    var status: Int32 = 0
    waitpid(child.pid, &status, 0)
  }

  /// The descriptor, if the bytes come as they are.
  var plainDescriptor: Int32? { tool == nil && child == nil ? source : nil }

  private static func tool(for path: String) -> String? {
    if path.hasSuffix(".gz") { return "gzip" }
    return path.hasSuffix(".zst") || path.hasSuffix(".zstd") ? "zstd" : nil
  }

  private static func failure(_ name: String, _ code: Int32) -> Failure {
    Failure(.badInput, "can't read \(name): \(String(cString: strerror(code)))")
  }

  /// Reads as read(2) does; 0 at the end.
  func read(_ room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    try startTool()
    while true {
      let count = Glibc.read(descriptor, room.baseAddress, room.count)
      if count > 0 {
        taken += UInt64(count)
        return count
      }
      if count == 0 {
        try endTool()
        return 0
      }
      if errno != EINTR { throw Self.failure(name, errno) }
    }
  }

  /// How much of `size` was read.
  var position: UInt64 {
    // The tool shares the file's offset.
    guard child != nil, size != nil else { return taken }
    return UInt64(max(lseek(source, 0, SEEK_CUR), 0))
  }

  /// Starts what decompresses it, if anything has to and it hasn't been yet.
  func startTool() throws(Failure) {
    guard let tool else { return }
    self.tool = nil
    try decompress(by: tool)
  }

  private func decompress(by tool: String) throws(Failure) {
    var output: [Int32] = [0, 0]
    var complaints: [Int32] = [0, 0]
    guard pipe(&output) == 0, pipe(&complaints) == 0 else { throw Self.failure(name, errno) }
    for end in output + complaints { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, source, 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    posix_spawn_file_actions_adddup2(&actions, complaints[1], 2)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // It must die when we read no more, although we ignore that signal.
    var signals = StartUp.ignoredSet
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var arguments: [UnsafeMutablePointer<CChar>?] = [tool, "-dcq"].map { (word: String) in strdup(word) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    // Nothing of the caller's: neither its PATH nor options in GZIP or ZSTD_CLEVEL.
    var environment: [UnsafeMutablePointer<CChar>?] = ["PATH=/usr/bin:/bin", "LC_ALL=C"].map {
      (word: String) in strdup(word)
    }
    environment.append(nil)
    defer { for variable in environment { free(variable) } }
    var pid: pid_t = 0
    var code = ENOENT
    for folder in ["/usr/bin", "/bin"] where code == ENOENT {
      code = posix_spawn(&pid, "\(folder)/\(tool)", &actions, &attributes, &arguments, &environment)
    }
    close(output[1])
    close(complaints[1])
    descriptor = output[0]
    errors = complaints[0]
    guard code == 0 else {
      throw Failure(
        .badInput,
        "can't read \(name): /usr/bin/\(tool) decompresses it, and can't be run: \(String(cString: strerror(code))); install \(tool)"
      )
    }
    child = (pid, tool)
  }

  /// A tool that has failed says why; that the file was cut is no failure, but makes it incomplete.
  private func endTool() throws(Failure) {
    guard let child else { return }
    var text: [UInt8] = []
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      while case let count = Glibc.read(errors, room.baseAddress, room.count), count > 0 {
        if text.count < 4096 { text.append(contentsOf: room[..<count]) }
      }
    }
    var status: Int32 = 0
    waitpid(child.pid, &status, 0)
    self.child = nil
    guard status != 0 else { return }
    let said = String(decoding: text, as: UTF8.self)
    if said.contains("unexpected end") || said.contains("premature end") {
      isTruncated = true
      return
    }
    let line = Message.printable(said.split(separator: "\n").first { $0.contains(":") }.map(String.init) ?? "")
    throw Failure(.badInput, "can't read \(name): \(child.tool) can't decompress it\(line.isEmpty ? "" : ": \(line)")")
  }
}
