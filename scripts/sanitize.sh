#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests of Core and Report under sanitizers: sanitize.sh address|thread ...
#
# Each has a build folder of its own, because everything is compiled again.
set -euo pipefail

cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
tests='TCPState(Core|Report)Tests'
# Swift's own backtrace of a crash would wait for a debugger for minutes.
export SWIFT_BACKTRACE=enable=no

for sanitizer in "$@"; do
  echo "Building the tests for the $sanitizer sanitizer"
  build=(--sanitize="$sanitizer" --scratch-path ".build/sanitize-$sanitizer" -Xswiftc -use-ld=lld)
  "$swift" build --build-tests --quiet "${build[@]}"
  log=.build/sanitize-$sanitizer/tests.log
  # A leak of Foundation's own, when the tests read an empty golden file.
  echo 'leak:readBytesFromFile' >".build/sanitize-$sanitizer/leaks"
  export LSAN_OPTIONS="suppressions=$PWD/.build/sanitize-$sanitizer/leaks"
  "$swift" test --skip-build --disable-xctest "${build[@]}" --filter "$tests" >"$log" 2>&1 || {
    grep -E '✘|ERROR|WARNING|SUMMARY|Fatal' "$log" >&2 || tail -n 20 "$log" >&2
    echo "test-sanitize: $sanitizer: FAILED, see $log" >&2
    exit 1
  }
  # After a race it goes on, and the tests pass.
  if grep -E 'WARNING: ThreadSanitizer' "$log" >&2; then exit 1; fi
  echo "test-sanitize: $sanitizer: clean, $(grep -oE '[0-9]+ tests' "$log" | tail -n 1)"
done
