// SPDX-License-Identifier: Apache-2.0

/// Sums and products of untrusted numbers, which stop at the maximum instead of trapping.
extension UInt64 {
  @inlinable
  public func saturatingAdding(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  @inlinable
  public func saturatingMultiplied(by other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }

  @inlinable
  public mutating func add(saturating other: UInt64) { self = saturatingAdding(other) }

  /// The numbers missing between this one of a sequence and a later one; 0 if the sequence is unknown (0) or starts over.
  @inlinable
  public func gap(to later: UInt64) -> UInt64 { self > 0 && later > self ? later - self - 1 : 0 }
}
