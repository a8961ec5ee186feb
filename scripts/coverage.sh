#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows how many lines of Core and Report the tests without privileges run, per
# file, the lowest share first; fails if either is below COVERAGE_LEAST (90) percent.
set -euo pipefail

cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
least=${COVERAGE_LEAST:-90}
out=.build/coverage
# Debian's llvm-cov is too old for what Swift writes, and the toolchain's isn't always in PATH.
llvm_cov=$(dirname "$(readlink -f "$(command -v "$swift")")")/llvm-cov

echo "Building the tests for coverage"
"$swift" build --build-tests --quiet --enable-code-coverage --scratch-path "$out"
"$swift" test --skip-build --disable-xctest --enable-code-coverage --scratch-path "$out" \
  --filter 'TCPState(Core|Report)Tests' >"$out/tests.log" 2>&1 || {
  grep -E '✘' "$out/tests.log" >&2
  exit 1
}
binaries=$("$swift" build --scratch-path "$out" --show-bin-path)

failed=0
for target in TCPStateCore TCPStateReport; do
  # Columns 8 to 10 are lines, missed lines and share; the last line is the sum.
  "$llvm_cov" report "$binaries"/*PackageTests.xctest -instr-profile="$binaries/codecov/default.profdata" \
    "Sources/$target" | awk -v target="$target" -v least="$least" '
      $10 ~ /%$/ && $1 != "TOTAL" { printf "%7s  %4d of %4d missed  %s\n", $10, $9, $8, $1 | "sort -n" }
      $1 == "TOTAL" { close("sort -n"); share = $10 + 0
        printf "%s: %s of %d lines\n", target, $10, $8; exit share < least }' || failed=1
done
[ "$failed" = 0 ] || echo "coverage: below $least %" >&2
exit "$failed"
