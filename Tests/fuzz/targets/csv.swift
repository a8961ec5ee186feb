import TCPStateCore
import TCPStateReport

/// Text as CSV, in pieces of any size: the first byte says which.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size > 1 else { return 0 }
  let text = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
  let (rows, _) = Recording.read(text, piece: 1 + Int(data[0]))
  let whole = Recording.read(text, piece: 1 << 16)
  precondition(rows.count == whole.rows.count, "the size of the pieces matters")
  Recording.checkRoundTrip(rows, what: "read rows")
  Recording.fold(rows)
  return 0
}
