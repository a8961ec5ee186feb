#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the last commit in two folders of different names, and compares the binaries byte by byte.
set -euo pipefail

cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
binaries=()
for folder in one "another-folder_2"; do
  git clone --quiet . "$work/$folder"
  make --no-print-directory -C "$work/$folder" build
  binaries+=("$work/$folder/.build/release/tcpstate-trace")
done
sha256sum "${binaries[@]}"
cmp "${binaries[@]}"
echo "reproducible: the same $(stat -c %s "${binaries[0]}") bytes from two folders"
