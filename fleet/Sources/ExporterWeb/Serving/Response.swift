// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// What is sent for one request. Content-Length and Connection are added when it is sent.
struct Response {
  var status: HTTPResponseStatus
  var headers: HTTPHeaders
  var body: ByteBuffer
  /// Whether it is a page of series, of which only so many are sent at a time.
  var isScrape = false

  init(_ status: HTTPResponseStatus, type: String, body: ByteBuffer) {
    self.status = status
    self.body = body
    headers = ["Content-Type": type, "X-Content-Type-Options": "nosniff"]
  }

  /// A line for people.
  init(_ status: HTTPResponseStatus, _ line: String) {
    self.init(status, type: "text/plain; charset=utf-8", body: ByteBuffer(string: line + "\n"))
  }

  func with(_ name: String, _ value: String) -> Response {
    var result = self
    result.headers.replaceOrAdd(name: name, value: value)
    return result
  }
}
