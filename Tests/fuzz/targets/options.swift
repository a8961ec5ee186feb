// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// Parses text as the value of an option; the first byte chooses which.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size > 0 else { return 0 }
  let text = String(decoding: UnsafeBufferPointer(start: data + 1, count: size - 1), as: UTF8.self)
  switch data[0] % 7 {
  case 0: duration(text)
  case 1: ports(text)
  case 2: network(text)
  case 3: address(text)
  case 4: state(text)
  case 5: moment(text)
  default: columns(text)
  }
  return 0
}

private func duration(_ text: String) {
  guard let nanoseconds = DurationText.parse(text) else { return }
  precondition(DurationText.parse("\(nanoseconds)ns") == nanoseconds)
  precondition(text.utf8.first.map { $0 >= 48 && $0 <= 57 } ?? false, "no digit first: \(text)")
  _ = DurationText.string(nanoseconds)
  _ = DurationText.string(nanoseconds, kind: .atLeast, glyphs: .ascii)
}

private func ports(_ text: String) {
  do throws(PortListError) {
    let set = try PortSet(parsing: text)
    precondition(!set.contains(0), "port 0 in \(text)")
    precondition((1...UInt16.max).contains { set.contains($0) }, "an empty set: \(text)")
    for part in text.split(separator: ",") {
      for end in part.split(separator: "-") { precondition(set.contains(UInt16(end) ?? 0), "\(end) of \(text)") }
    }
  } catch {
    precondition(!error.description.isEmpty)
  }
}

private func network(_ text: String) {
  guard let network = Network(parsing: text) else { return }
  precondition((0...128).contains(network.prefixLength))
  precondition(network.contains(network.address), "\(text) doesn't contain its own address")
}

/// The C library accepts the same addresses, with the same bytes.
private func address(_ text: String) {
  let ours = IPAddress(parsing: text)
  guard !text.utf8.contains(0) else {
    precondition(ours == nil, "a NUL in \(text)")
    return
  }
  var bytes = [UInt8](repeating: 0, count: 16)
  if inet_pton(AF_INET6, text, &bytes) != 1 {
    var v4: [UInt8] = [0, 0, 0, 0]
    guard inet_pton(AF_INET, text, &v4) == 1 else {
      precondition(ours == nil, "not an address: \(text)")
      return
    }
    bytes = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] + v4
  }
  guard let ours else { preconditionFailure("a valid address is refused: \(text)") }
  let theirs = bytes.withUnsafeBytes { $0.baseAddress.map { IPAddress(networkOrder: $0) } }
  precondition(ours == theirs, "\(text) is read as \(AddressText.string(ours))")
  precondition(IPAddress(parsing: AddressText.string(ours)) == ours, "\(text) is written \(AddressText.string(ours))")
}

private func state(_ text: String) {
  guard let state = TCPState(parsing: text) else { return }
  for spelling in [StateSpelling.rfc, .openTelemetry, .kernel] {
    precondition(TCPState(parsing: state.name(spelling)) == state, "\(text): \(state.name(spelling))")
  }
}

private func moment(_ text: String) {
  guard let moment = Moment(parsing: text) else { return }
  let start: UInt64 = 1_795_468_323_204_131_000
  for start in [0, start, UInt64(Int64.max)] {
    guard let time = moment.time(start: start, utc: true) else { continue }
    if text.hasPrefix("+") { precondition(time >= start, "\(text) is before the start") }
  }
}

private func columns(_ text: String) {
  do throws(ColumnListError<Column>) {
    let columns = try Column.parse(text)
    precondition(!columns.isEmpty && Set(columns.map(\.rawValue)).count == columns.count, "\(text)")
    let names = columns.map(\.csvName.description).joined(separator: ",")
    precondition((try? Column.parse(names)) == columns, "\(text) is \(names)")
  } catch {
    precondition(!error.description.isEmpty)
  }
}
