#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what following TIME-WAIT costs; `make bench-timewait` runs it.

Makes 50,000 TIME-WAIT sockets in a network namespace of its own while the tracer follows it. Then it measures the
tracer's CPU time for 50 s, in which only readings of the kernel's tables happen, and its memory, minus what it used
with the namespace empty. At last it waits for the sockets to end, and prints how each end was known.
"""

import collections
import csv
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = HERE.parent / ".build/release/tcpstate-trace"
CHURN = HERE.parent / ".build/bench/churn"
CONNECTIONS = 50_000
SECONDS = 50


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def cpu(pid):
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def trace(netns, output):
    tracer = subprocess.Popen(
        [BINARY, "--netns", netns, "--format", "csv", "--output", output],
        stderr=subprocess.PIPE, text=True)
    while not tracer.stderr.readline().startswith("Tracing TCP on"):
        if tracer.poll() is not None:
            sys.exit("timewait: the tracer didn't start; run as root")
    return tracer


def main():
    name = f"bench-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        with tempfile.TemporaryDirectory() as folder:
            measure(name, f"{folder}/rows.csv")
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def measure(name, output):
    netns = f"/run/netns/{name}"
    tracer = trace(netns, output)
    base = resident(tracer.pid)
    subprocess.run(["ip", "netns", "exec", name, CHURN, str(CONNECTIONS)], check=True, stdout=subprocess.DEVNULL)
    time.sleep(1)  # the last rows
    before, began = cpu(tracer.pid), time.monotonic()
    time.sleep(SECONDS)
    used = (cpu(tracer.pid) - before) / (time.monotonic() - began)
    memory = resident(tracer.pid) - base
    print(f"{CONNECTIONS} TIME-WAIT sockets: {used:.2%} of one CPU over {SECONDS} s, "
          f"{memory / CONNECTIONS:.0f} bytes of resident memory each, buffers included")
    time.sleep(20)  # 60 to 62 s after the first, all have ended
    tracer.send_signal(signal.SIGINT)
    tracer.communicate()
    ends = collections.Counter()
    with open(output, newline="") as rows:
        for row in csv.DictReader(rows):
            if row["state_old"] == "time_wait":
                ends[row["duration_kind"], row["reason"]] += 1
    print("ends:", ", ".join(f"{count} {kind} {reason}" for (kind, reason), count in ends.items()))


main()
