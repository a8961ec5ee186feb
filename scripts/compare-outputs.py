#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs two builds over every recording and view, and shows where they differ.

    compare-outputs.py OLD NEW [RECORDING ...]

Without recordings it takes all of the tests' fixtures that are recordings. Standard output,
standard error and the exit status must be the same; each difference is printed once, with the
command. Exits with 1 if there is any.
"""
import difflib
import glob
import subprocess
import sys

VIEWS = [
    ["--format", "table"], ["--format", "csv"], ["--format", "csv", "--columns", "all"],
    ["--format", "jsonl", "--columns", "all"], ["--format", "csv", "--strict"], ["-4"], ["--state", "close-wait"],
    ["--longer-than", "1ms", "--utc"],
    ["summary"], ["summary", "--by", "process,peer"], ["summary", "--histogram"], ["summary", "--format", "csv"],
    ["summary", "--format", "jsonl", "--by", "remote-port"], ["summary", "--strict"],
    ["lifecycle", "--utc"], ["lifecycle", "--utc", "--relative", "--time-wait"],
    ["lifecycle", "--utc", "--format", "jsonl"], ["lifecycle", "--utc", "--follow"], ["lifecycle", "--utc", "--strict"],
    ["report", "--output", "-"], ["report", "--format", "perfetto", "--output", "-"], ["report", "--strict", "--output", "-"],
    ["stuck", "--utc"], ["stuck", "--utc", "--older-than", "0s", "--state", "established,close-wait,time-wait,listen"],
    ["stuck", "--older-than", "0s", "--format", "csv", "--columns", "all"], ["stuck", "--older-than", "0s", "--format", "jsonl"],
    ["tcpstates"], ["tcpstates", "-s"], ["tcpstates", "-stT"], ["tcpstates", "-w", "-t"], ["tcpstates", "--time-wait"],
    ["tcpstates", "--strict"],
    ["--skip-bad", "--format", "csv"], ["--count", "3"],
]


def recordings():
    found = []
    for pattern in ("**/*.csv", "**/*.jsonl", "**/tcpstates*.txt", "**/tcpstates/*.txt"):
        found += glob.glob(f"Tests/*/Fixtures/{pattern}", recursive=True)
    return sorted(set(found))


def run(binary, view, recording):
    command = [binary, *view, "--read", recording]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LANG": "C.UTF-8"})
    return {"stdout": done.stdout, "stderr": done.stderr, "status": str(done.returncode).encode()}


def show(what, before, after):
    lines = list(difflib.unified_diff(
        before.decode(errors="replace").splitlines(), after.decode(errors="replace").splitlines(), "old " + what,
        "new " + what, lineterm="", n=0))
    for line in lines[:12]:
        print("  " + line[:240])
    if len(lines) > 12:
        print(f"  … {len(lines) - 12} more lines")


def main():
    old, new, *chosen = sys.argv[1:]
    runs = differing = 0
    for recording in chosen or recordings():
        for view in VIEWS:
            runs += 1
            before, after = run(old, view, recording), run(new, view, recording)
            if before == after:
                continue
            differing += 1
            print(" ".join(["tcpstate-trace", *view, "--read", recording]))
            for what in before:
                if before[what] != after[what]:
                    show(what, before[what], after[what])
    print(f"{runs} runs, {differing} different")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
