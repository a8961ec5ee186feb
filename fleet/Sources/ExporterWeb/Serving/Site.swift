// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// What there is at each path, and who may see it. Used on the event loop.
package final class Site {
  private let pages: PublishedPage
  private let limits: WebLimits
  private let landing: ByteBuffer
  private let configuration: LiveConfiguration
  private let checker: PasswordChecker
  private let statistics: StatisticsBox
  /// Ends a scrape that takes too long, if there is one.
  private let makeRoom: () -> Bool
  private var representations: Representations?
  private var bucket: (limit: RateLimit, tokens: RateLimit.Bucket)?
  private var scrapesInProgress = 0

  init(
    _ web: WebConfiguration, pages: PublishedPage, configuration: LiveConfiguration, checker: PasswordChecker,
    statistics: StatisticsBox, makeRoom: @escaping () -> Bool
  ) {
    self.pages = pages
    limits = web.limits
    landing = ByteBuffer(string: web.landing.html)
    self.configuration = configuration
    self.checker = checker
    self.statistics = statistics
    self.makeRoom = makeRoom
  }

  /// Calls `send` with the response, at once or after the password has been checked.
  func answer(_ request: HTTPRequestHead, send: @escaping (Response) -> Void) {
    let now = NIODeadline.now()
    let finish: (Response) -> Void = { [self] response in
      if Self.path(request.uri) == "/metrics" {
        statistics.update { $0.scrapeCounts[Int(response.status.code), default: 0] += 1 }
      }
      send(configuration.current.headers.reduce(response) { $0.with($1.name, $1.value) })
    }
    guard takesToken(now) else {
      return finish(Response(.tooManyRequests, "Too many requests: rate_limit in --web.config.file."))
    }
    let users = configuration.current.users
    guard !users.isEmpty else { return finish(page(request, at: now)) }
    guard let header = request.headers.first(name: "Authorization"), let credentials = Credentials(header: header)
    else {
      return finish(Self.unauthorized)
    }
    checker.check(credentials, among: users) { [self] answer in
      switch answer {
      case .allowed: finish(page(request, at: .now()))
      case .denied: finish(Self.unauthorized)
      case .busy: finish(Response(.tooManyRequests, "Too many passwords are being checked.").with("Retry-After", "1"))
      }
    }
  }

  /// A scrape has been sent, or its connection has ended.
  func scrapeEnded() { scrapesInProgress -= 1 }

  private static var unauthorized: Response {
    Response(.unauthorized, "Unauthorized").with("WWW-Authenticate", "Basic")
  }

  private func takesToken(_ now: NIODeadline) -> Bool {
    guard let limit = configuration.current.rateLimit else {
      bucket = nil
      return true
    }
    if bucket?.limit != limit { bucket = (limit, RateLimit.Bucket(limit, at: now)) }
    return bucket?.tokens.take(at: now) ?? true
  }

  private func page(_ request: HTTPRequestHead, at now: NIODeadline) -> Response {
    guard request.method == .GET || request.method == .HEAD else {
      return Response(.methodNotAllowed, "Only GET and HEAD.").with("Allow", "GET, HEAD")
    }
    switch Self.path(request.uri) {
    case "/":
      return Response(.ok, type: "text/html; charset=utf-8", body: landing)
        .with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
    case "/metrics": return metrics(request.headers)
    case "/healthz", "/-/healthy": return health()
    default: return Response(.notFound, "Not found. The series are at /metrics.")
    }
  }

  private func metrics(_ headers: HTTPHeaders) -> Response {
    guard let page = pages.current() else {
      return Response(.serviceUnavailable, "No page yet: the program is starting.").with("Retry-After", "1")
    }
    guard scrapesInProgress < limits.scrapes || makeRoom() else {
      return Response(.serviceUnavailable, "\(limits.scrapes) scrapes are being answered: --web.max-requests.")
        .with("Retry-After", "1")
    }
    let current: Representations
    if let known = representations, known.page === page {
      current = known
    } else {
      current = Representations(page)
      representations = current
    }
    let format = Negotiation.format(accept: headers["Accept"])
    let body = current.body(format, gzip: Negotiation.acceptsGzip(acceptEncoding: headers["Accept-Encoding"]))
    var response = Response(.ok, type: format.contentType, body: body.bytes).with("Vary", "Accept, Accept-Encoding")
    if body.isCompressed { response = response.with("Content-Encoding", "gzip") }
    response.isScrape = true
    scrapesInProgress += 1
    return response
  }

  /// Whether pages are still published, which needs the tracing thread to run.
  private func health() -> Response {
    guard let page = pages.current() else {
      return Response(.serviceUnavailable, "No page yet: the program is starting.")
    }
    let age = ContinuousClock.now - page.publishedAt
    guard age <= limits.pageAge else {
      return Response(
        .serviceUnavailable, "The newest page is \(age.components.seconds) s old: the tracer doesn't answer.")
    }
    return Response(.ok, "OK")
  }

  /// The path of a request's target, without its query; the absolute form (RFC 9112, section 3.2.2) too.
  package static func path(_ target: String) -> Substring {
    var rest = target[...]
    for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
      rest = rest.dropFirst(scheme.count)
      rest = rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...]
      if rest.isEmpty { return "/" }
    }
    return rest.prefix { $0 != "?" && $0 != "#" }
  }
}
