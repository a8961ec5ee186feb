# SPDX-License-Identifier: Apache-2.0
"""What stays bounded: the time of a scrape, the page, the memory, and the cost next to `trace`'s."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import CHURN, Exporter, Process, check, inside, namespace, report, running, wait_for

HERE = Path(__file__).resolve().parent
CONNECTIONS = int(os.environ.get("EXPORTER_CONNECTIONS", 50_000))
PROCESSES = int(os.environ.get("EXPORTER_PROCESSES", 5_000))
MEMORY_SECONDS = int(os.environ.get("EXPORTER_MEMORY_SECONDS", 150))
ROUNDS = int(os.environ.get("EXPORTER_ROUNDS", 5))
LISTENERS = 200
SLOWEST = 0.020
WARM_UP = 70
TOLERANCE = 1.05


@contextlib.contextmanager
def sockets(name, *arguments):
    holder = subprocess.Popen(inside(name, sys.executable, "-B", HERE / "sockets.py", *arguments),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        check(holder.stdout.readline() == "ready\n", f"can't open the sockets: {arguments}")
        yield
    finally:
        holder.stdin.close()
        holder.wait(120)


def time_of_scrape(exporter, rounds=50):
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        exporter.scrape()
        times.append(time.perf_counter() - begin)
    return times


def scrape(exporter_binary, _):
    """A scrape takes less than 20 ms at 50,000 connections and 200 listeners."""
    with namespace() as name, running(Exporter(exporter_binary, netns=name)) as exporter:
        empty = statistics.median(time_of_scrape(exporter))
        with sockets(name, "hold", CONNECTIONS // 2, LISTENERS):
            wait_for("the page has them", lambda: (
                exporter.page().get("tcpstate_connections", state="established") or 0) >= CONNECTIONS // 2 * 2)
            wait_for("listeners", lambda: len(exporter.page().family("tcpstate_listener_accept_queue")) >= LISTENERS)
            cpu, begin = exporter.cpu(), time.monotonic()
            times = time_of_scrape(exporter)
            page = exporter.next_page()
            share = (exporter.cpu() - cpu) / (time.monotonic() - begin)
            report(f"  {CONNECTIONS:,} connections, {LISTENERS} listeners: a scrape takes {statistics.median(times) * 1000:.1f} ms "
                   f"(median of {len(times)}; empty {empty * 1000:.1f} ms; slowest {max(times) * 1000:.1f} ms), the page is "
                   f"{len(page.text):,} bytes and took {page.get('tcpstate_exporter_render_duration_seconds') * 1000:.1f} ms to write, "
                   f"a reading {page.get('tcpstate_exporter_reading_duration_seconds') * 1000:.1f} ms; "
                   f"{share * 100:.1f} % of a CPU; {exporter.resident() / 1e6:.0f} MB")
            check(statistics.median(times) < SLOWEST, f"a scrape takes {statistics.median(times) * 1000:.1f} ms")
        exporter.stop()


def processes(exporter_binary, _):
    """The page stays small with 5,000 processes that each have a stuck connection."""
    options = ("--stuck.older-than", "1s", "--readings.interval", "1s", "--readings.cpu", "50")
    with namespace() as name, running(Exporter(exporter_binary, *options, netns=name)) as exporter:
        with sockets(name, "processes", PROCESSES):
            # Some are reset again: the client's port is taken for another one a minute later.
            page = wait_for("all are stuck", lambda: (
                (page := exporter.page()) and sum(
                    value for labels, value in page.family("tcpstate_stuck_connections").items()
                    if dict(labels)["state"] == "close_wait") >= PROCESSES * 0.8 and page), 120)
            stuck = page.family("tcpstate_stuck_connections")
            folded = page.get("tcpstate_exporter_folded_total", family="tcpstate_stuck_connections")
            report(f"  {PROCESSES:,} processes: {len(page.samples):,} series in all, {len(stuck)} of stuck processes, "
                   f"{folded:,.0f} folded, {len(page.text):,} bytes, {exporter.resident() / 1e6:.0f} MB")
            check(len(stuck) == 21 * 5 and len(page.samples) < 1500, f"{len(page.samples)} series")
            check("\x1b" not in page.text, "a name's control character is on the page")
        exporter.stop()


def memory(exporter_binary, _):
    """Memory is flat while connections come and go."""
    with namespace() as name, running(Exporter(exporter_binary, netns=name)) as exporter:
        begin, curve = time.monotonic(), []
        while (now := time.monotonic() - begin) < max(MEMORY_SECONDS, WARM_UP + 40):
            subprocess.run(inside(name, CHURN, 200, 1, 200), check=True, stdout=subprocess.DEVNULL)
            exporter.scrape()
            curve.append((now, exporter.resident()))
        settled = [size for second, size in curve if second >= WARM_UP]
        first, last = max(settled[:5]), max(settled[-5:])
        report(f"  200 connections/s for {curve[-1][0]:.0f} s: {first / 1e6:.1f} MB after {WARM_UP} s, {last / 1e6:.1f} MB at the end")
        check(last <= first * TOLERANCE, f"memory grows: {first:,} → {last:,} bytes")
        exporter.stop()
        check(" 0 lost" in exporter.messages(), exporter.messages())


def churn(name, connections):
    output = subprocess.run(inside(name, CHURN, connections, 1), check=True, capture_output=True, text=True).stdout
    return float(output.split()[3])


def added_cost(start, connections=20_000):
    """Microseconds of CPU per connection: of the load itself, and of the tracer."""
    with namespace() as name:
        process = start(name)
        with running(process):
            churn(name, 2_000)
            before = process.cpu() if process else 0
            load = churn(name, connections)
            time.sleep(1.2)  # the tracer catches up
            own = (process.cpu() - before) / connections * 1e6 if process else 0
            process.stop()
    return load, own


class Nothing:
    """In the place of a tracer."""

    child = subprocess.Popen(["true"])

    def cpu(self):
        return 0

    def stop(self):
        self.child.wait()


def cost(exporter_binary, tracer):
    """The exporter costs a connection at most 10 % more than `trace` does."""
    def trace(name):
        process = Process([tracer, "--netns", f"/run/netns/{name}", "--format", "csv", "--output", "/dev/null"])
        process.wait_for_message("Tracing TCP")
        return process

    ways = {"none": lambda _: Nothing(), "trace": trace, "exporter": lambda name: Exporter(exporter_binary, netns=name)}
    results = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, start in ways.items():
            results[way].append(added_cost(start))
    loads = {way: statistics.median(load for load, _ in its) for way, its in results.items()}
    owns = {way: statistics.median(own for _, own in its) for way, its in results.items()}
    added = {way: loads[way] - loads["none"] + owns[way] for way in ways}
    report("  CPU per connection, µs, median of " + str(ROUNDS) + ": " + "; ".join(
        f"{way}: the load {loads[way]:.2f}, the tracer {owns[way]:.2f}" for way in ways))
    report(f"  added: trace {added['trace']:.2f} µs, exporter {added['exporter']:.2f} µs "
           f"({added['exporter'] / added['trace'] - 1:+.0%})")
    check(added["exporter"] <= added["trace"] * 1.10, "the exporter costs more than trace and 10 %")
