// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import tcpstate_trace

struct ServiceNamesTests {
  @Test func names() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "services-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try """
    # Network services
    http\t\t80/tcp\t\twww\t# WorldWideWeb HTTP
    domain 53/udp
    domain 53/tcp
    #https 1/tcp
    https 443/tcp
    broken
    far 70000/tcp
    last 65535/tcp
    """.write(toFile: path, atomically: true, encoding: .utf8)
    #expect(ServiceNames.port("http", in: path) == 80 && ServiceNames.port("www", in: path) == 80)
    #expect(ServiceNames.port("domain", in: path) == 53 && ServiceNames.port("https", in: path) == 443)
    #expect(ServiceNames.port("last", in: path) == 65535)
    for unknown in ["broken", "far", "WorldWideWeb", "80/tcp", ""] {
      #expect(ServiceNames.port(unknown, in: path) == nil, "\(unknown)")
    }
    #expect(ServiceNames.port("http", in: "/nonexistent") == nil)
  }
}
