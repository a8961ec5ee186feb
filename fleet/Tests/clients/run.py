#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The web server of the exporter against real clients: run.py SERVER [--only NAME,NAME]

SERVER is example-serve-page, which serves a made-up page, so that no rights are needed. Prints one line per check with its
figures, and exits with 1 if one failed.
"""
import argparse
import subprocess
import sys
import traceback

import attacks
import plain
import secure

CHECKS = {check.__name__: check for check in (
    plain.paths, plain.connections, plain.sockets, plain.passwords, plain.rate, secure.tls, secure.prometheus,
    attacks.slow_headers, attacks.slow_readers, attacks.idle_connections, attacks.long_request_line, attacks.pipelines,
    attacks.malformed_tls, attacks.wrong_passwords)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server")
    parser.add_argument("--only", default=",".join(CHECKS))
    options = parser.parse_args()
    failed, names = 0, options.only.split(",")
    for name in names:
        try:
            print(f"{name}: {CHECKS[name](options.server)}", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError):
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
