#!/usr/bin/env bash
# Runs the tests: run-tests.sh all|privileged
#
# As root, all in one run. Otherwise everything runs as the user, who sees the
# privileged ones skipped, and then these run once more as root. They run from
# the test bundle itself: sudo's PATH seldom has Swift, and `swift test` as root
# would leave files in .build that the user can't overwrite.
set -euo pipefail

which=${1:-all}
swift=${SWIFT:-swift}
privileged=${PRIVILEGED_TESTS:-PrivilegedTests}
passed_on=(TCPSTATE_TEST_BINARY TCPSTATE_TEST_PYTHON)

skipped() {
  echo "SKIPPED: the privileged tests: not root, and $1: make test-privileged" >&2
  [ "$which" = all ]
  exit
}

run_privileged_by_sudo() {
  local bundle environment=()
  bundle=$(echo "$("$swift" build --build-tests --show-bin-path)"/*PackageTests.xctest)
  for name in "${passed_on[@]}"; do
    [ -z "${!name-}" ] || environment+=("$name=${!name}")
  done
  [ -t 1 ] || environment+=(NO_COLOR=1) # it takes a pipe for a terminal; swift test does the same
  command -v sudo >/dev/null || skipped "there is no sudo; run as root"
  if ! sudo -n true 2>/dev/null; then
    [ -t 0 ] || skipped "sudo asks for a password; run in a terminal"
    sudo -v || skipped "sudo refuses; run as root"
  fi
  echo "Running the privileged tests by sudo"
  sudo env "${environment[@]}" "$bundle" --testing-library swift-testing --filter "$privileged"
}

if [ "$(id -u)" = 0 ]; then
  if [ "$which" = all ]; then filter=(); else filter=(--filter "$privileged"); fi
  exec "$swift" test --skip-build --disable-xctest "${filter[@]}"
fi
[ "$which" != all ] || "$swift" test --skip-build --disable-xctest
run_privileged_by_sudo
