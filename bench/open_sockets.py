# SPDX-License-Identifier: Apache-2.0
"""Many open sockets: what a look at them costs, and what a tracer needs that starts meanwhile."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time

from consumers import BINARY, Ours
from harness import HERE, ROUNDS, Failure, median, number, progress, ratio, settle

IDLE_SECONDS = 5


@contextlib.contextmanager
def held(sockets):
    """Holds that many sockets in a namespace of their own, and yields its path; see stuck.py."""
    command = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$0" "$1" hold', sys.executable,
               HERE / "stuck.py"]
    environment = dict(os.environ, BENCH_SOCKETS=str(sockets))
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0, env=environment)
    try:
        if holder.stdout.readline() != "ready\n":
            raise Failure(f"{sockets:,} sockets can't be opened")
        yield f"/proc/{holder.pid}/ns/net"
    finally:
        holder.stdin.close()
        holder.wait()


def run(net, command):
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        child = subprocess.Popen(["nsenter", f"--net={net}", "--", *command], stdout=output, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        output.seek(0)
        lines = output.read().count(b"\n")
    return {"wall": wall * 1000, "cpu": (usage.ru_utime + usage.ru_stime) * 1000, "lines": lines}


def trace(folder):
    """A tracer that starts while the sockets are open: the time until all are read, and its memory."""
    process = Ours().start(os.path.join(folder, "open"))
    process.wait_attached(0)
    start = (process.attached - process.started) * 1000
    before = process.cpu()
    time.sleep(IDLE_SECONDS)
    result = {"start": start, "idle": (process.cpu() - before) * 1000, "resident": process.resident()}
    process.stop()
    return result


def look(folder, sockets, section, target):
    tools = {
        "stuck": [BINARY, "stuck", "--older-than", "0s", "--format", "csv"],
        "stuck --state established": [
            BINARY, "stuck", "--older-than", "0s", "--format", "csv", "--state", "established"],
        "ss -tanp": ["ss", "-tanp"],
    }
    results = {name: [] for name in [*tools, "trace"]}
    settle()
    empty = trace(folder)
    with held(sockets) as net:
        for round_number in range(ROUNDS):
            progress(f"{sockets:,} sockets, round {round_number + 1} of {ROUNDS}")
            for name, command in tools.items():
                settle()
                results[name].append(run(net, command))
            results["trace"].append(trace(folder))
    rows = [[name, number(median(results[name], "wall")), number(median(results[name], "cpu")),
             number(median(results[name], "lines")), ""] for name in tools]
    traced = results["trace"]
    each = (median(traced, "resident") - empty["resident"]) / sockets
    rows.append(["trace: start, and then 5 s", number(median(traced, "start")), number(median(traced, "idle")), "",
                 number(each)])
    cpu = ratio(median(results["stuck"], "cpu"), median(results["ss -tanp"], "cpu"))
    targets = [target(f"stuck on {sockets:,} sockets, CPU relative to ss -tanp", 0.1, cpu),
               target(f"memory per tracked connection, with {sockets:,}, bytes", 200, each, 0)]
    header = ["", "ms", "CPU ms", "lines", "bytes per socket"]
    return section(f"{sockets:,} open sockets, 1,000 of them in CLOSE-WAIT", header, rows,
                   {**results, "empty": empty}, targets)
