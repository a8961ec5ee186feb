#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tests: run-tests.sh all|privileged
#
# As root, everything is one run. Otherwise all tests run as the user, with the
# privileged ones skipped visibly, and then those run as root. They are run from
# the test bundle itself, because Swift is seldom in sudo's PATH, and `swift test`
# as root would leave files in .build that the user can't overwrite. fleet/ has tests of its own.
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
  [ -t 1 ] || environment+=(NO_COLOR=1) # it mistakes a pipe for a terminal; swift test sets this, too
  command -v sudo >/dev/null || skipped "there is no sudo; run as root"
  if ! sudo -n true 2>/dev/null; then
    [ -t 0 ] || skipped "sudo asks for a password; run in a terminal"
    sudo -v || skipped "sudo refuses; run as root"
  fi
  echo "Running the privileged tests with sudo"
  sudo env "${environment[@]}" "$bundle" --testing-library swift-testing --filter "$privileged"
}

# Those of the nested package need no root.
run_fleet() {
  "$swift" test --package-path fleet --skip-build --disable-xctest
}

if [ "$(id -u)" = 0 ]; then
  if [ "$which" = all ]; then filter=(); else filter=(--filter "$privileged"); fi
  "$swift" test --skip-build --disable-xctest "${filter[@]}"
  [ "$which" != all ] || run_fleet
  exit
fi
if [ "$which" = all ]; then
  "$swift" test --skip-build --disable-xctest
  run_fleet
fi
run_privileged_by_sudo
