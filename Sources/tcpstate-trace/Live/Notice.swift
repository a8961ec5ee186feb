/// What comes up while tracing: told on standard error, or within a full screen.
struct Notice {
  let text: String
  /// Whether it holds as long as the command runs; else it tells of something that has happened.
  let holds: Bool
}
