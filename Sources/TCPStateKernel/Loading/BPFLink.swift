// SPDX-License-Identifier: Apache-2.0
import CLibbpf

/// Owns an attachment; the program runs until this is released. A class, because optionals hold it.
final class BPFLink {
  private let link: OpaquePointer

  init(taking link: OpaquePointer) {
    self.link = link
  }

  var descriptor: Int32 { bpf_link__fd(link) }

  deinit { bpf_link__destroy(link) }
}
