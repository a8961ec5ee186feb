#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares instructions per transition with bench/gate.json; `make bench-gate` runs it.

Instructions are counted, not times, so a busy machine changes nothing:

- The consumer: what bench/pipeline executes from a record to a CSV row, by valgrind's callgrind. The difference between
  two runs of different length leaves out the start.
- The BPF programs: how many instructions the kernel's verifier processes in each, and how many bytes they have once
  translated. tp_btf programs can't be run by BPF_PROG_TEST_RUN.

Fails if a number is more than 3 % above the expected one. Numbers depend on the compiler and on the kernel: those of
others are skipped, with a message. GATE_WRITE=1 renews the file.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bpf_stats
from harness import BUILT, HERE, Failure, output_of

EXPECTED = HERE / "gate.json"
PIPELINE = Path(os.environ.get("BENCH_PIPELINE", BUILT.parent / "release/bench-pipeline"))
BINARY = Path(os.environ.get("TCPSTATE_BINARY", BUILT.parent / "release/tcpstate-trace"))
TOLERANCE = 0.03
TRANSITIONS = 10  # per connection
CONNECTIONS = (1_000, 4_000)


def swift_version():
    found = re.search(r"Swift version (\S+)", output_of([os.environ.get("SWIFT", "swift"), "--version"]))
    return found[1] if found else "unknown"


def instructions(program, records, folder):
    """How many instructions the program executes in user space."""
    ran = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/profile", program, records, "/dev/null"],
        capture_output=True, text=True, env={**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"})
    found = re.search(r"Collected\s*:\s*(\d+)", ran.stderr)
    if ran.returncode or not found:
        raise Failure(f"valgrind failed: {(ran.stderr.strip().splitlines() or ['no output'])[-1]}")
    return int(found[1])


def consumer():
    if not os.access(PIPELINE, os.X_OK):
        raise Failure(f"{PIPELINE} is missing: make bench-gate builds it")
    with tempfile.TemporaryDirectory() as folder:
        # valgrind can't read Swift's debug information.
        program = f"{folder}/pipeline"
        subprocess.run(["objcopy", "--strip-debug", PIPELINE, program], check=True)
        counts = []
        for connections in CONNECTIONS:
            records = f"{folder}/records"
            with open(records, "wb") as stream:
                subprocess.run([BUILT / "records", str(connections)], stdout=stream, check=True)
            counts.append(instructions(program, records, folder))
    transitions = (CONNECTIONS[1] - CONNECTIONS[0]) * TRANSITIONS
    return {"from record to row, instructions per transition": round((counts[1] - counts[0]) / transitions, 1)}


def programs():
    """Of the programs that `trace` loads."""
    if os.geteuid() != 0:
        raise Failure("only root can load the BPF programs: run it as root")
    tracer = subprocess.Popen(
        [BINARY, "trace", "--format", "csv", "--output", "/dev/null"], stderr=subprocess.PIPE, text=True)
    try:
        said = ""
        for line in tracer.stderr:
            if line.startswith("Tracing TCP on"):
                break
            said = line.strip()
        else:
            raise Failure(f"tcpstate-trace didn't start: {said}")
        found = bpf_stats.held_by(tracer.pid)
    finally:
        tracer.terminate()
        tracer.stderr.read()
        tracer.wait(timeout=20)
    if not found:
        raise Failure("tcpstate-trace holds no BPF programs")
    numbers = {}
    for name, info in sorted(found.items()):
        numbers[f"{name}, instructions verified"] = info.verified_insns
        numbers[f"{name}, bytes translated"] = info.xlated_prog_len
    return numbers


def measured():
    kernel = ".".join(platform.release().split(".")[:2])
    swift = f"Swift {swift_version()}, {platform.machine()}"
    return {
        "consumer": {"by": swift, "numbers": consumer()},
        "BPF programs": {"by": f"Linux {kernel}, {platform.machine()}", "numbers": programs()},
    }


def expected_numbers():
    try:
        return json.loads(EXPECTED.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"bench/{EXPECTED.name}: {error}. GATE_WRITE=1 makes it again") from None


def compare(part, seen, expected):
    """Prints each number. Returns how many are too high."""
    if expected is None or seen["by"] != expected["by"]:
        by = expected["by"] if expected else "nothing"
        print(f"bench-gate: {part}: not compared, because {EXPECTED.name} has numbers of {by}, and this is {seen['by']}")
        return 0
    high = 0
    for name, value in seen["numbers"].items():
        before = expected["numbers"].get(name)
        if before is None:
            print(f"bench-gate: {name}: {value:,} is new; GATE_WRITE=1 adds it")
            continue
        change = value / before - 1
        verdict = "too high" if change > TOLERANCE else "lower: GATE_WRITE=1 keeps the gain" if change < -TOLERANCE else "ok"
        high += change > TOLERANCE
        print(f"bench-gate: {name}: {value:,}, expected {before:,} ({change:+.1%}): {verdict}")
    for name in expected["numbers"].keys() - seen["numbers"].keys():
        print(f"bench-gate: {name}: is gone; GATE_WRITE=1 removes it")
    return high


def main():
    start = time.monotonic()
    seen = measured()
    if os.environ.get("GATE_WRITE"):
        EXPECTED.write_text(json.dumps(seen, indent=2) + "\n", encoding="utf-8")
        print(f"bench-gate: wrote {EXPECTED.name}")
        return 0
    expected = expected_numbers()
    high = sum(compare(part, numbers, expected.get(part)) for part, numbers in seen.items())
    print(f"bench-gate: {time.monotonic() - start:.0f} s")
    if high:
        print(f"bench-gate: {high} more than {TOLERANCE:.0%} above {EXPECTED.name}. Find out why, with callgrind_annotate "
              "or --verbose. If the cost is wanted: make bench-gate GATE_WRITE=1, and say why in the commit.", file=sys.stderr)
    return 1 if high else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"bench-gate: {failure}", file=sys.stderr)
        sys.exit(1)
