#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the packages of dependencies.txt that are missing, for the purposes named:
#   install-dependencies.sh build|test|lint|bench|bench-servers|kernels|packages|test-packages|screenshots ...
# It prints nothing and needs no root if nothing is missing.
set -euo pipefail

scripts=$(dirname "$(readlink -f "$0")")

fail() {
  echo "install-dependencies: $*" >&2
  exit 1
}

packages_for() {
  awk -v purpose="$1" '$1 == purpose { print $2 }' "$scripts/dependencies.txt"
}

installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# bpf/Makefile decides which clang to use; this only asks it.
has_bpf_clang() {
  # shellcheck disable=SC2016 # for make to expand
  [ -n "$(make -s --no-print-directory -C "$scripts/../bpf" \
    --eval 'which-clang: ; @echo $(BPF_CLANG)' which-clang)" ]
}

install() {
  local as_root=() log
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      fail "not root and no sudo; as root: apt-get install $*"
    as_root=(sudo)
  fi
  echo "Installing $*"
  if [ -z "${updated-}" ]; then
    "${as_root[@]}" apt-get update -qq ||
      echo "install-dependencies: apt-get update failed; using the old lists" >&2
    updated=yes
  fi
  log=$(mktemp)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq --no-install-recommends "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "apt-get could not install: $*"
  }
  rm -f "$log"
}

[ $# -gt 0 ] || fail "name a purpose: build, test, lint, bench, bench-servers, kernels, packages, test-packages or screenshots"

wanted=()
for purpose in "$@"; do
  mapfile -t packages < <(packages_for "$purpose")
  [ ${#packages[@]} -gt 0 ] || fail "unknown purpose: $purpose"
  wanted+=("${packages[@]}")
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install-dependencies: no apt here; install what Debian calls: ${wanted[*]}" >&2
  exit 0
fi

missing=()
for package in "${wanted[@]}"; do
  installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"

if [[ " $* " = *" build "* ]] && ! has_bpf_clang; then
  mapfile -t clang < <(packages_for clang)
  install "${clang[@]}"
fi
