// SPDX-License-Identifier: Apache-2.0
import Testing

import ExporterWeb

@Suite struct ListenAddressTests {
  @Test(arguments: [
    ("127.0.0.1:9100", "127.0.0.1", 9100), ("[::1]:1", "::1", 1), ("localhost:0", "127.0.0.1", 0),
    ("[::ffff:10.0.0.1]:65535", "::ffff:10.0.0.1", 65535),
  ])
  func hostAndPort(text: String, host: String, port: UInt16) {
    #expect(ListenAddress(text) == ListenAddress(host: host, port: port))
  }

  @Test func aPortAloneIsEveryAddress() {
    #expect(ListenAddress(":9100") == ListenAddress(host: nil, port: 9100))
  }

  @Test(arguments: [
    "", ":", "9100", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1",
    "::1:80",
    "[127.0.0.1]:80", "[::1]", "[::1:80", "example.org:80", "127.0.0.1:80:80", "127.0.0.1:٣",
  ])
  func refused(text: String) {
    #expect(ListenAddress(text) == nil)
  }

  @Test func writtenAsItIsRead() {
    for text in ["127.0.0.1:9100", "[::1]:1", ":7"] { #expect(ListenAddress(text)?.description == text) }
  }

  @Test func optionsSayWhatIsWrong() throws {
    let landing = LandingPage(name: "", summary: "", version: "")
    let options = try WebOptions.parse([])
    #expect(try options.configuration(landing: landing).addresses == [ListenAddress(host: "127.0.0.1", port: 10435)])
    let two = try WebOptions.parse(["--web.listen-address", ":1", "--web.listen-address=[::1]:2"])
    #expect(try two.configuration(landing: landing).addresses.map(\.port) == [1, 2])
    for arguments in [["--web.listen-address=nowhere:1"], ["--web.max-connections=0"], ["--web.max-requests=-1"]] {
      let error = #expect(throws: WebError.self) { try WebOptions.parse(arguments).configuration(landing: landing) }
      #expect(error?.exitStatus == 64)
    }
  }
}
