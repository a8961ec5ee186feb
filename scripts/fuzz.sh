#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the code that reads foreign bytes: fuzz.sh [TARGET ...], all by default.
#
# Core and Report are compiled with libFuzzer's counters and the address
# sanitizer. Each file of Tests/fuzz/targets becomes a program that runs for
# FUZZ_SECONDS (30), starting with the corpus in the repository. New inputs are
# kept in .build/fuzz, and one that fails in .build/fuzz/found. The target
# "command" is the built program itself, TCPSTATE_TEST_BINARY, which reads
# mutated recordings with all its commands (Tests/fuzz/command.py).
set -euo pipefail

cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-30}
swiftc=${SWIFTC:-swiftc}
out=.build/fuzz
# Swift's own backtrace of a crash would wait minutes for a debugger.
export SWIFT_BACKTRACE=enable=no

compile() {
  local module=$1
  shift
  echo "Compiling $module for fuzzing"
  "$swiftc" -O -g -wmo -swift-version 6 -parse-as-library -sanitize=fuzzer,address \
    -I "$out" -I Sources/CTCPStateEvent/include -I Sources/CCells/include -module-name "$module" \
    -emit-module -emit-module-path "$out/$module.swiftmodule" \
    -c "$@" -o "$out/$module.o"
}

# The module map that `swift build` generates for a C target.
module_map() {
  {
    echo 'module CTCPStateEvent {'
    printf '  header "%s"\n' "$PWD"/Sources/CTCPStateEvent/include/*.h
    printf '  export *\n}\n'
  } >"$out/module.modulemap"
}

compile_modules() {
  module_map
  shopt -s globstar
  compile TCPStateCore Sources/TCPStateCore/**/*.swift
  make -s --no-print-directory -C Sources/TCPStateReport/Page/assets OUT="$PWD/$out" swift
  compile TCPStateReport Sources/TCPStateReport/**/*.swift "$out/EmbeddedPage.swift"
}

build() {
  local target=$1
  # Not optimized, so that a failed check has its message; lld, because gold warns about ASan's symbols.
  "$swiftc" -Onone -g -swift-version 6 -parse-as-library -sanitize=fuzzer,address -use-ld=lld \
    -I "$out" -I Sources/CTCPStateEvent/include -I Sources/CCells/include -module-name "fuzz_$target" \
    "Tests/fuzz/targets/$target.swift" Tests/fuzz/support/*.swift \
    "$out/TCPStateCore.o" "$out/TCPStateReport.o" -o "$out/$target"
}

# One line of the figures at the end of libFuzzer's log.
figures() {
  awk '
    /^#[0-9]+/ { for (i = 1; i < NF; i++) if ($i == "cov:") cov = $(i + 1) }
    /^stat::number_of_executed_units/ { runs = $2 }
    /^stat::peak_rss_mb/ { rss = $2 }
    END { printf "%d inputs, %d edges, %d MB at most", runs, cov, rss }' "$1"
}

run() {
  local target=$1 log=$out/$1.log dictionary=()
  mkdir -p "$out/corpus/$target" "$out/found"
  [ ! -f "Tests/fuzz/$target.dict" ] || dictionary=("-dict=Tests/fuzz/$target.dict")
  if "$out/$target" "$out/corpus/$target" "Tests/fuzz/corpus/$target" "${dictionary[@]}" \
    -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$out/found/$target-" >"$log" 2>&1; then
    echo "fuzz $target: nothing found in $seconds s: $(figures "$log")"
  else
    grep -E 'Fatal error|Precondition|ERROR|SUMMARY|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
    echo "fuzz $target: FAILED, see $log; run it again with: $out/$target INPUT" >&2
    return 1
  fi
}

run_command() {
  python3 -B Tests/fuzz/command.py "${TCPSTATE_TEST_BINARY:-.build/release/tcpstate-trace}" "$seconds" "$out/found"
}

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for file in Tests/fuzz/targets/*.swift; do targets+=("$(basename "$file" .swift)"); done
  targets+=(command)
fi

mkdir -p "$out/found"
failed=0
isCompiled=0
for target in "${targets[@]}"; do
  if [ "$target" = command ]; then
    run_command || failed=1
    continue
  fi
  [ "$isCompiled" = 1 ] || compile_modules
  isCompiled=1
  build "$target"
  run "$target" || failed=1
done
exit "$failed"
