// SPDX-License-Identifier: Apache-2.0
import TCPStateReport
import Testing

@Suite struct TopSettingsTests {
  @Test func areReadAsTheyWereWritten() {
    var settings = TopSettings()
    (settings.order, settings.isReversed, settings.grouping) = (.bytes, true, .peer)
    (settings.columns, settings.theme, settings.mouse) = ([.age, .peer, .rtt], .light, false)
    var read = TopSettings()
    #expect(read.read(settings.text) == nil && read == settings)
    var view = TopView()
    settings.apply(to: &view)
    #expect(TopSettings(view, mouse: false) == settings)
    var usual = TopSettings()
    #expect(usual.read(TopSettings().text) == nil && usual == TopSettings())
  }

  @Test func commentsAndSpaces() {
    var settings = TopSettings()
    #expect(settings.read("# all\n\n  top.theme=mono  # plain\r\n\ttop.sort = age\n") == nil)
    #expect(settings.theme == .mono && settings.order == .age)
  }

  /// The first bad line is named, and the others count.
  @Test(arguments: [
    ("top.sort = size", "line 1: 'size' is none of worst, age"),
    ("\nnonsense", "line 2: 'nonsense' is not NAME = VALUE"),
    ("top.themes = dark", "line 1: 'top.themes' is no setting: top.sort"),
    ("top.mouse = 1", "'1' is neither yes nor no"),
    ("top.columns = age,siez", "'age,siez' is no list of columns"), ("top.columns =", "is no list of columns"),
    ("x = \u{1b}[2J", "'x' is no setting"), ("\u{1b}[2J", "'\\x1b[2J' is not NAME = VALUE"),
  ]) func badLines(_ text: String, _ problem: String) {
    var settings = TopSettings()
    let found = settings.read(text + "\ntop.theme = light\nmore nonsense\n")
    #expect(found?.contains(problem) ?? false, "\(found ?? "nothing")")
    #expect(settings.theme == .light)
  }
}
