// SPDX-License-Identifier: Apache-2.0

/// Reads text as JSON Lines.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  Recording.check(UnsafeRawBufferPointer(start: data, count: size))
  return 0
}
