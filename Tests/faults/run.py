#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes each system call of each command fail in turn, and checks what comes of it.

    run.py INJECT BINARY [--live] [--places N] [--case NAME] [--seed N]

A first run of a command counts its calls. Then it is run again and again, each time with another call that fails: the n-th
read(), write(), openat(), mmap(), bpf() and so on, with EINTR, ENOSPC, EIO, EMFILE, ENOMEM or half of the bytes, once or from
then on. It must end by itself, never by a signal of its own, with a status of the table in docs/reference.md; a status like
that of the first run promises the same output, and another one an output that is a beginning of it, without a torn row, or the
untouched file that was there before. With --live the commands that trace are run, as root, in a network namespace with traffic.

--places limits how many places of each call are tried, chosen by --seed; by default all, or 10 of what differs from run to run.
"""
import argparse
import concurrent.futures
import csv
import gzip
import io
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FAULTS = ["EINTR", "ENOSPC", "EIO", "EMFILE", "ENOMEM", "short"]
# Those that a signal or a reader can interrupt or shorten anywhere: nobody may notice.
TRANSPARENT = {("read", "EINTR"), ("read", "short"), ("pread64", "EINTR"), ("pread64", "short"), ("write", "EINTR"),
               ("write", "short"), ("wait4", "EINTR"), ("epoll_wait", "EINTR"), ("epoll_pwait", "EINTR"), ("poll", "EINTR"),
               ("ppoll", "EINTR"), ("sendto", "EINTR")}
# What a full disk, a limit or little memory does: from one call on, all of them fail.
LASTING = [("write", "ENOSPC"), ("write", "EIO"), ("openat", "EMFILE"), ("read", "EIO"), ("bpf", "ENOMEM"), ("bpf", "EMFILE")]
STATUSES = {0, 1, 3, 64, 65, 69, 74, 77}
BEFORE = b"precious\n"
# A run hangs if it takes longer than this, and than ten times what the first run, without a fault, took.
SECONDS_EACH = 30
SECONDS_AT_FIRST = 300
# A command that traces makes thousands of calls, most of them alike.
PLACES_IF_DIFFERENT = 10
# After these many it isn't tried further.
MOST_FAILURES = 40


class Case:
    """One command, and what it may do to which files of its folder."""

    def __init__(self, name, arguments, output=None, kept=b"", lines=True, live=False, now=False):
        self.name, self.arguments, self.output, self.kept = name, arguments, output, kept
        # What it finds on the machine now differs from run to run.
        self.lines, self.differs = lines, live or now

    def prepare(self, folder, inputs):
        for name, data in inputs.items():
            (folder / name).write_bytes(data)
        if self.output:
            (folder / self.output).write_bytes(self.kept or BEFORE)


def recorded():
    read = ["--read", "t.csv"]
    return [
        Case("table", ["trace"] + read),
        Case("csv", ["trace", "--format", "csv", "--columns", "all", "--output", "o"] + read, output="o"),
        Case("new", ["trace", "--format", "csv", "--output", "new"] + read),
        Case("jsonl", ["trace", "--format", "jsonl", "--strict"] + read),
        Case("merged", ["trace", "--format", "csv", "--read", "t.csv", "u.csv"]),
        Case("standard input", ["trace", "--format", "csv", "--read", "-"]),
        Case("gzip", ["summary", "--read", "t.csv.gz", "--strict", "--format", "csv", "--output", "o"], output="o"),
        Case("summary", ["summary", "--by", "process"] + read),
        Case("big", ["summary", "--format", "csv", "--read", "big.csv"]),
        Case("lifecycle", ["lifecycle", "--output", "o"] + read, output="o", lines=False),
        Case("report", ["report", "--output", "o"] + read, output="o", lines=False),
        Case("perfetto", ["report", "--format", "perfetto", "--output", "o"] + read, output="o", lines=False),
        Case("stuck", ["stuck", "--state", "established,close-wait,listen", "--format", "csv"] + read),
        Case("tcpstates", ["tcpstates", "-s"] + read),
        Case("explain", ["explain", "close-wait"], now=True),
        Case("doctor", ["doctor"], now=True),
        Case("schema", ["schema"], lines=False),
        Case("help", ["--help"], lines=False),
        Case("version", ["--version"]),
    ]


def traced(namespace):
    here = ["--netns", namespace]
    ends = here + ["--for", "400ms"]
    return [
        Case("live csv", ["trace", "--format", "csv", "--columns", "all", "--strict", "--output", "o"] + ends, output="o", live=True),
        Case("live record", ["summary", "--record", "o"] + ends, output="o", live=True),
        Case("live append", ["trace", "--format", "csv", "--columns", "all", "--append", "--output", "o"] + ends, output="o", live=True,
             kept=b"header\n"),
        Case("live in-kernel", ["summary", "--in-kernel"] + ends, live=True),
        Case("live lifecycle", ["lifecycle"] + ends, live=True, lines=False),
        Case("live report", ["report", "--output", "o"] + ends, output="o", live=True, lines=False),
        Case("live tcpstates", ["tcpstates", "-s"] + ends, live=True),
        Case("live stuck", ["stuck", "--state", "established,close-wait,time-wait", "--older-than", "0s"] + here, live=True),
        Case("live watch", ["stuck", "--watch", "--older-than", "50ms", "--exec", "true"] + ends, live=True),
    ]


class Run:
    """What one run has done: its status, and the bytes of its output and its file."""

    def __init__(self, harness, case, fault):
        folder = pathlib.Path(tempfile.mkdtemp(dir=harness.work))
        case.prepare(folder, harness.inputs)
        self.counts = {}
        # The tracer isn't in the list of what the tests started: it dies with inject (PTRACE_O_EXITKILL).
        command = [harness.inject] + (fault or ["count", str(folder / "counts")]) + ["--", harness.binary] + case.arguments
        with open(folder / "t.csv", "rb") as given, open(folder / "out", "wb") as out, open(folder / "err", "wb") as err:
            process = subprocess.Popen(command, cwd=folder, stdin=given, stdout=out, stderr=err,
                                       env={"PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "enable=no", "TZ": "UTC"})
            try:
                self.status = process.wait(harness.limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.status = None
        self.printed = (folder / "out").read_bytes()
        self.said = (folder / "err").read_bytes()
        self.file = None
        for name in [case.output, "new"]:
            if name and (folder / name).exists():
                self.file = (folder / name).read_bytes()
        if not fault:
            for line in (folder / "counts").read_text().splitlines():
                name, count = line.split()
                self.counts[name] = int(count)
        shutil.rmtree(folder)


class Harness:
    def __init__(self, arguments, work):
        self.inject, self.binary = os.path.abspath(arguments.inject), os.path.abspath(arguments.binary)
        self.places, self.work = arguments.places, work
        self.chance = random.Random(arguments.seed)
        small = (ROOT / "Tests/fuzz/corpus/csv/endings-all").read_bytes()[1:]
        header, rows = small.split(b"\n", 1)
        self.inputs = {"t.csv": small, "u.csv": small, "t.csv.gz": gzip.compress(small),
                       "big.csv": header + b"\n" + rows * (3_000_000 // max(1, len(rows)))}
        self.limit = SECONDS_AT_FIRST
        self.runs, self.crashes, self.hangs, self.torn, self.wrong = 0, 0, 0, 0, 0

    def faults(self, case, counts):
        """Each call of each kind with each fault: what `inject fail` takes."""
        limit = self.places or (PLACES_IF_DIFFERENT if case.differs else sys.maxsize)
        for call, count in counts.items():
            places = list(range(1, count + 1))
            if count > limit:
                places = sorted(self.chance.sample(places, limit))
            for place in places:
                for fault in FAULTS:
                    if call == "brk" and fault != "ENOMEM":
                        continue
                    if fault != "short" or (call, "short") in TRANSPARENT:
                        yield call, fault, place, "once"
                for lasting_call, fault in LASTING:
                    if lasting_call == call:
                        yield call, fault, place, "on"

    def try_all(self, case):
        begin = time.monotonic()
        self.limit = SECONDS_AT_FIRST
        base = Run(self, case, None)
        # Other work on the machine may slow each run.
        self.limit = max(SECONDS_EACH, 10 * (time.monotonic() - begin))
        assert base.status in STATUSES, f"{case.name}: {base.status} {base.said[-300:]}"
        before = self.runs
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            tries = list(self.faults(case, base.counts))
            for (call, fault, place, how), run in zip(tries, pool.map(
                    lambda one: Run(self, case, ["fail", one[0], one[1], str(one[2]), one[3]]), tries)):
                self.runs += 1
                failure = self.failure(case, base, run, call, fault, how)
                if failure:
                    said = run.said.decode(errors="replace").strip()[-160:].replace("\n", " | ")
                    print(f"{case.name}: {call} {fault} {place} {how}: {failure}; it says: {said}", flush=True)
                    if self.hangs > 3 or self.failures > MOST_FAILURES:
                        pool.shutdown(cancel_futures=True)
                        break
        print(f"{case.name}: {self.runs - before} runs, {sum(base.counts.values())} calls of {len(base.counts)} kinds", flush=True)

    @property
    def failures(self):
        return self.crashes + self.hangs + self.torn + self.wrong

    def failure(self, case, base, run, call, fault, how):
        """What is wrong with the run, if anything is."""
        if run.status is None:
            self.hangs += 1
            return f"still running after {self.limit:.0f} s"
        if run.status < 0:
            self.crashes += 1
            return f"killed by {signal.Signals(-run.status).name}"
        torn = self.tear(case, base, run)
        if torn:
            self.torn += 1
            return torn
        wrong = self.mistake(case, base, run, call, fault, how)
        if wrong:
            self.wrong += 1
        return wrong

    @staticmethod
    def tear(case, base, run):
        """Whether something is in a file, or was printed, that a reader would take for what it isn't."""
        for what, data, whole in [("standard output", run.printed, base.printed), ("the file", run.file, base.file)]:
            if data in (None, b"", BEFORE, case.kept):
                continue
            if case.lines and not data.endswith(b"\n"):
                return f"{what} ends in {data[-40:]!r}"
            if not case.differs and not (whole or b"").startswith(data):
                return f"{what} isn't a beginning of what it should be: {data[:80]!r}"
            if case.differs and data.startswith(b"timestamp,"):
                rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
                if len({len(row) for row in rows}) != 1:
                    return f"{what} has torn rows"
        return None

    @staticmethod
    def mistake(case, base, run, call, fault, how):
        if run.status not in STATUSES:
            return f"status {run.status}"
        if case.differs:
            # What doctor finds is its message.
            said = run.said or (case.name == "doctor" and run.printed)
            return None if run.status in (0, 1) or said or call == "write" else f"status {run.status} without a word"
        same = (run.printed, run.file) == (base.printed, base.file)
        if run.status == base.status and not same:
            return f"status {run.status}, but the output isn't whole"
        if (call, fault) in TRANSPARENT and how == "once" and run.status != base.status:
            return f"status {run.status}"
        # Where standard error can't be written to, nothing can be said.
        if run.status != base.status and not run.said and call not in ("write", "openat", "fstat", "newfstatat", "poll", "ppoll"):
            return f"status {run.status} without a word"
        return None


class Traffic:
    """Connections in a network namespace of its own, as long as this value is in use."""

    SCRIPT = """
import socket, time
s = socket.socket(); s.bind(('127.0.0.1', 18900)); s.listen(16)
left = []
while True:
    c = socket.create_connection(('127.0.0.1', 18900)); d, _ = s.accept()
    c.send(b'x'); d.recv(1); c.close(); left.append(d); time.sleep(.02)
    if len(left) > 5: left.pop(0).close()
"""

    def __init__(self):
        self.name = f"tcpstate-faults-{os.getpid()}"

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        self.process = subprocess.Popen(["ip", "netns", "exec", self.name, sys.executable, "-c", self.SCRIPT])
        return f"/run/netns/{self.name}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("inject")
    parser.add_argument("binary")
    parser.add_argument("--live", action="store_true")
    parser.add_argument("--places", type=int)
    parser.add_argument("--case")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tcpstate-faults-") as work:
        harness = Harness(arguments, work)
        if arguments.live:
            with Traffic() as namespace:
                run_cases(harness, traced(namespace), arguments.case)
        else:
            run_cases(harness, recorded(), arguments.case)
    print(f"faults: {harness.runs} runs, {harness.crashes} crashes, {harness.hangs} hangs, {harness.torn} torn, {harness.wrong} wrong")
    sys.exit(1 if harness.failures else 0)


def run_cases(harness, cases, only):
    for case in cases:
        if (not only or only == case.name) and harness.hangs <= 3:
            harness.try_all(case)


main()
