#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command as root, with sudo; if there is no sudo, says what root has to do:
#   as-root.sh COMMAND...
set -euo pipefail

[ "$(id -u)" != 0 ] || exec "$@"
command -v sudo >/dev/null || {
  echo "as-root: not root, and there is no sudo; run as root: cd $(printf %q "$PWD") && $*" >&2
  exit 77
}
exec sudo "$@"
