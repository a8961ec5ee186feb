# SPDX-License-Identifier: Apache-2.0
"""What tracing costs a real server: CPU time that a request takes more, requests that are lost, and the tracer's own time."""

import contextlib
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import loads
from consumers import BINARY, Bpftrace, InKernel, Ours, Tcpstates
from harness import BUILT, ROUNDS, Failure, Process, median, namespace, number, progress, ratio, settle, turns, worst

TICKS = os.sysconf("SC_CLK_TCK")
NONE = "none"


class NoOp:
    """A program at the tracepoint that does nothing."""

    name = "no-op"
    blind_seconds = 0

    def start(self, file):
        return Process([str(BUILT / "noop")], subprocess.DEVNULL, "attached")


class Watch(Ours):
    """`stuck --watch`, which counts stays and writes of leaks only."""

    name = "stuck --watch"

    def start(self, file):
        return Process([BINARY, "stuck", "--watch", "--format", "csv", "--output", file], subprocess.DEVNULL, "Watching")


def busy():
    """CPU seconds of the whole machine that weren't idle: processes, system, softirq."""
    fields = [int(n) for n in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def lost(lines):
    found = re.search(r"([\d,]+) (?:events )?lost", "\n".join(lines))
    return int(found[1].replace(",", "")) if found else None


def measure(load, net, consumer, file):
    """One run of the load, with a consumer or without one."""
    settle()
    process = None
    own = 0.0
    if consumer:
        process = consumer.start(file)
        process.wait_attached(consumer.blind_seconds)
        before = process.cpu()
    start, began = busy(), time.monotonic()
    requests = load.requests(net)
    wall, used = time.monotonic() - began, busy() - start
    result = {"requests": requests, "rate": requests / wall}
    if process:
        during = process.cpu() - before
        process.drain()
        own = process.stop() - before
        result["lost"] = lost(process.lines) if isinstance(consumer, Ours) else None
        used -= during
    with contextlib.suppress(OSError):
        os.unlink(file)
    result["work"] = used * 1e6 / requests
    result["own"] = own * 1e6 / requests if process else None
    return result


def run(load, consumers, folder):
    results = {c.name if c else NONE: [] for c in consumers}
    with tempfile.TemporaryDirectory(dir=folder) as own, namespace() as net, load.serve(net, own):
        load.requests(net)  # fills caches, and the table of TIME-WAIT sockets
        for round_number in range(ROUNDS):
            for consumer in turns(consumers, round_number):
                key = consumer.name if consumer else NONE
                progress(f"{load.name}, round {round_number + 1} of {ROUNDS}, {key}")
                results[key].append(measure(load, net, consumer, os.path.join(own, "out")))
    for runs in results.values():
        for one, none in zip(runs, results[NONE]):
            one["added"] = one["work"] - none["work"]
            one["slower"] = 1 - one["rate"] / none["rate"]
    return results


def as_section(load, results, section, target):
    measures = [
        ("requests/s", "rate", 0), ("µs CPU a request: server, client, kernel", "work", 2),
        ("… added by tracing", "added", 2), ("the tracer's own, µs CPU a request", "own", 2),
    ]
    rows = [[label, *(number(median(runs, key) if runs is not results[NONE] or key in ("rate", "work") else None, digits)
                      for runs in results.values())] for label, key, digits in measures]
    rows.append(["requests/s less, %", *(number(median(runs, "slower") * 100 if name != NONE else None, 1)
                                         for name, runs in results.items())])
    rows.append(["events lost, worst run", *(number(worst(runs, "lost", max)) for runs in results.values())])
    targets = [target(f"events lost; {load.name}", 0, worst(results[Ours.name], "lost", max), 0)]
    if type(load) is loads.Nginx:
        added = {name: median(runs, "added") for name, runs in results.items()}
        targets += [
            target("nginx: CPU added to the work, relative to tcpstates'", 0.30,
                   ratio(added[Ours.name], added.get(Tcpstates.name)), 2),
            target("… relative to the no-op program's", 2.0, ratio(added[Ours.name], added[NoOp.name]), 1),
            target("… the tracer's own CPU a request (10 transitions), µs", 2.5, median(results[Ours.name], "own"), 2),
            target("… requests/s less with both CPUs busy, %", 14, median(results[Ours.name], "slower") * 100, 1),
            target("… with --in-kernel, %", 8, median(results[InKernel.name], "slower") * 100, 1),
        ]
    return section(load.name, ["", *results], rows, results, targets)


def servers(tracers, folder, section, target):
    """Each load with all tracers, in turns."""
    by_name = {tracer.name: tracer for tracer in tracers}
    chosen = [None, NoOp(), by_name[Ours.name], by_name[InKernel.name], Watch(),
              *(by_name[peer.name] for peer in (Tcpstates, Bpftrace) if peer.name in by_name)]
    made = []
    for load in loads.ALL:
        try:
            results = run(load, chosen, folder)
        except Failure as failure:
            made.append(section(load.name, ["", "not measured"], [["", str(failure)]], {}))
            continue
        made.append(as_section(load, results, section, target))
    return made
