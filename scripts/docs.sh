#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the pages of the libraries with DocC: docs.sh OUT; a folder each for Core, Live and Report.
set -euo pipefail

cd "$(dirname "$0")/.."
out=$1
swift=${SWIFT:-swift}
# The toolchain's docc isn't in PATH everywhere.
docc=$(dirname "$(readlink -f "$(command -v "$swift")")")/docc

echo "Collecting the symbols"
graphs=$("$swift" package dump-symbol-graph --minimum-access-level public --skip-synthesized-members 2>&1 |
  awk '/^Files written to / { print $4 }')
[ -d "$graphs" ] || {
  echo "docs: no symbol graphs were written" >&2
  exit 1
}
failed=0
for module in TCPStateCore TCPStateLive TCPStateReport; do
  own=$(mktemp -d)
  cp "$graphs/$module".symbols.json "$own/"
  cp "$graphs/$module"@*.symbols.json "$own/" 2>/dev/null || true
  rm -rf "${out:?}/$module"
  mkdir -p "$out/$module"
  log=$own/docc.log
  "$docc" convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$own" \
    --fallback-display-name "$module" --fallback-bundle-identifier "tcpstate.$module" \
    --transform-for-static-hosting --output-path "$out/$module" >"$log" 2>&1 || failed=1
  # A link that leads nowhere is an error; a parameter without a text isn't.
  if grep -A3 -E "doesn't exist at|is ambiguous|^error" "$log" >&2 || [ "$failed" = 1 ]; then
    echo "docs: $module: FAILED" >&2
    exit 1
  fi
  rm -rf "$own"
  echo "$out/$module/documentation/$(tr '[:upper:]' '[:lower:]' <<<"$module")/index.html"
done
