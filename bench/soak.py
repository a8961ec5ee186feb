#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that memory stays flat while churn is traced for SOAK_SECONDS (1800); `make soak` runs it.

SOAK_RATE (200) connections per second, 10 transitions each, are made in a network namespace of their own. A connection
is tracked until its TIME-WAIT ends, 60 to 62 s later, so memory grows until then. From WARM_UP on it may grow by no more
than TOLERANCE. The exit status is 1 if it grows more, or if events were lost. SOAK_WRITE=1 writes the curve to
bench/soak.csv.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("TCPSTATE_TEST_BINARY", HERE.parent / ".build/release/tcpstate-trace"))
CHURN = HERE.parent / ".build/bench/churn"

SECONDS = int(os.environ.get("SOAK_SECONDS", 1800))
RATE = int(os.environ.get("SOAK_RATE", 200))
WARM_UP = 70
EVERY = 5 if SECONDS < 600 else 10
TOLERANCE = 1.05


def resident(pid):
    """Resident memory in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def cpu(pid):
    """CPU time in seconds."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def soak(namespace, errors):
    tracer = subprocess.Popen(
        [BINARY, "--netns", f"/run/netns/{namespace}", "--format", "csv", "--output", "/dev/null"],
        stdout=subprocess.DEVNULL, stderr=errors)
    try:
        start = time.monotonic()
        curve, due = [], 0
        while (now := time.monotonic() - start) < SECONDS:
            subprocess.run(["ip", "netns", "exec", namespace, CHURN, str(RATE)], check=True,
                           stdout=subprocess.DEVNULL)
            if now >= due:
                curve.append((round(now), resident(tracer.pid), round(cpu(tracer.pid), 2)))
                due += EVERY
            time.sleep(max(0, 1 - (time.monotonic() - start - now)))
        return curve
    finally:
        tracer.terminate()
        tracer.wait(30)


def main():
    if SECONDS < WARM_UP + 4 * EVERY:
        sys.exit(f"soak: SOAK_SECONDS must be {WARM_UP + 4 * EVERY} or more: TIME-WAIT takes a minute")
    namespace = f"soak-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
        with tempfile.TemporaryFile("w+") as errors:
            curve = soak(namespace, errors)
            errors.seek(0)
            messages = errors.read()
    finally:
        subprocess.run(["ip", "netns", "del", namespace], check=True)

    if os.environ.get("SOAK_WRITE"):
        rows = "".join(f"{second},{kib},{used}\n" for second, kib, used in curve)
        (HERE / "soak.csv").write_text("seconds,resident_kib,cpu_seconds\n" + rows)
    settled = [kib for second, kib, _ in curve if second >= WARM_UP]
    first, last = max(settled[:2]), max(settled[-2:])
    lost = re.search(r"([\d,]+) transitions in .*?, ([\d,]+) lost", messages)
    if not lost:
        sys.exit(f"soak: the tracer failed: {messages}")
    print(f"soak: {lost[1]} transitions in {SECONDS} s, {lost[2]} lost; resident {first} KiB after {WARM_UP} s, "
          f"{last} KiB at the end, peak {max(settled)} KiB; {curve[-1][2]} s of CPU")
    if last > first * TOLERANCE:
        sys.exit(f"soak: memory isn't flat: {[kib for _, kib, _ in curve]}")
    if lost[2] != "0":
        sys.exit("soak: events were lost")


main()
