#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links the objects of the release build once more, without any shared library:
#   link-static.sh PRODUCT OUT RELEASE [LINKER OPTION...]
#
# For hosts with another C library or none: the tarball and the image. OUT/PRODUCT is the program, and
# OUT/PRODUCT.linked says why each member of an archive was taken. RELEASE is the
# folder of the release build, made by `make build` or `make exporter`.
set -euo pipefail

product=$1 out=$2 swift_build=$3
shift 3
objects=$swift_build/$product.product/Objects.LinkFileList
[ -s "$objects" ] || {
  echo "link-static: $objects is missing: make build exporter" >&2
  exit 1
}
mkdir -p "$out"
# SwiftPM gives main() of an executable a name of its own, so that tests can link it.
"${SWIFTC:-swiftc}" -emit-executable -static-executable -Xclang-linker -static-pie -use-ld=lld \
  -module-name "${product//-/_}" -o "$out/$product" "@$objects" \
  -l:libbpf.a -l:libelf.a -l:libz.a "$@" \
  -Xlinker --defsym -Xlinker "main=${product//-/_}_main" -Xlinker --gc-sections \
  -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now \
  -Xlinker "--why-extract=$out/$product.linked"
