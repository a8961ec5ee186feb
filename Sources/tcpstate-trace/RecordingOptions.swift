import ArgumentParser

/// Which recordings take the kernel's place, for every command that reads events.
struct RecordingOptions: ParsableArguments {
  @Option(
    name: .customLong("read"),
    help: ArgumentHelp(
      "Read a recording instead of the kernel; '-' is standard input. No privileges are needed.", valueName: "file"))
  var path: String?

  /// Whether a recording is read; else it is the live kernel.
  var isGiven: Bool { path != nil }
}
