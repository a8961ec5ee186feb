# SPDX-License-Identifier: Apache-2.0
"""What is measured: each function makes one section of the results.

How it is measured:
- churn's CPU time is from its own getrusage(), which includes what the kernel does on its
  behalf: the tracepoint programs and, on loopback, the softirq of the receiving side. What
  a tracer adds is the difference to the run without one in the same round.
- Under a server, the work's CPU time is all that the machine wasn't idle, without the tracer's
  own; so it includes softirq, and nothing else may run meanwhile. Each is compared with the run
  without a tracer in the same round. The no-op program is attached to the same tracepoint.
- A consumer's CPU time covers its whole process, from when it is attached until it has
  exited: the total at exit (wait4) minus what its CPU clock showed when it was attached.
  Draining and closing count, loading doesn't. It is divided by the number of transitions
  that it had to handle.
- Each churn has a network namespace of its own, which is kept until the consumer has
  ended. So no run meets the TIME-WAIT sockets of the one before, which would also fill
  net.ipv4.tcp_max_tw_buckets, beyond which the kernel leaves out TIME-WAIT.
- churn's connections are recognized by their addresses. The end of a TIME-WAIT, which no
  event reports and which comes 60 s later, isn't one of the 10 transitions.
- The order of the tracers changes from round to round.
- The kernel times the BPF programs (BPF_ENABLE_STATS). This adds two clock readings to
  each run, 50 ns for a program that does nothing.
- The pipeline leads from a decoded record to a written row, in Swift and in C
  (bench/pipeline); both write the same bytes for the same records. CPU time of the process.
"""

import filecmp
import os
import statistics
import subprocess
import sys
import time

import bpf_stats
import summary
from consumers import InKernel, Ours, Tcpstates
from harness import (BUILT, CONNECTIONS, ROUNDS, Failure, median, namespace, number, progress, ratio,
                     run_churn, settle, turns, worst)
from open_sockets import look
from servers import servers

TRANSITIONS = 10  # per connection
PIPELINE = os.environ.get("BENCH_PIPELINE", BUILT.parent / "release/bench-pipeline")
IDLE_SECONDS = 10


def section(title, header, rows, raw, targets=()):
    """Targets are (what, limit as text, value as text, whether it is met)."""
    return {"title": title, "header": header, "rows": rows, "raw": raw, "targets": list(targets)}


def target(what, limit, value, digits=3):
    if value is None:
        return (what, f"≤ {limit}", "–", False)
    return (what, f"≤ {number(limit, digits)}", number(value, digits), value <= limit)


def measure(consumer, folder, threads, connections=CONNECTIONS, rate=0):
    """One run of churn, with one consumer or without."""
    settle()
    with namespace() as net:
        if consumer is None:
            return run_churn(net, threads, connections, rate)
        file = os.path.join(folder, consumer.name)
        process = consumer.start(file)
        process.wait_attached(consumer.blind_seconds)
        before = process.cpu()
        result = run_churn(net, threads, connections, rate)
        process.drain()
        result["resident"] = process.resident()
        cpu = process.stop() - before
    result.update(consumer.count(file, process.lines))
    handled = max(result["rows"], result["connections"] * TRANSITIONS)
    result["event_cpu"] = cpu * 1e6 / handled
    result["bytes"] = os.path.getsize(file)
    os.unlink(file)
    return result


def load(tracers, folder, title, name, threads, connections=CONNECTIONS, rate=0):
    consumers = [None, *tracers]
    results = {c.name if c else "none": [] for c in consumers}
    for round_number in range(ROUNDS):
        for consumer in turns(consumers, round_number):
            key = consumer.name if consumer else "none"
            progress(f"{name}, round {round_number + 1} of {ROUNDS}, {key}")
            results[key].append(measure(consumer, folder, threads, connections, rate))
    for key, runs in results.items():
        for run, none in zip(runs, results["none"]):
            run["added_cpu"] = None if key == "none" else run["churn_cpu"] - none["churn_cpu"]
    return load_section(results, title, rated=rate > 0)


def load_section(results, title, rated):
    expected = results["none"][0]["connections"] * TRANSITIONS
    measures = [
        ("connections/s", lambda r: median(r, "rate"), 0, False),
        ("µs CPU per connection", lambda r: median(r, "churn_cpu"), 1, False),
        ("… added by tracing", lambda r: median(r, "added_cpu"), 2, True),
        ("consumer, µs CPU per transition", lambda r: median(r, "event_cpu"), 3, True),
        (f"rows written, of {expected:,}, worst run", lambda r: worst(r, "churned", min), 0, False),
        ("events reported lost, worst run", lambda r: worst(r, "lost", max), 0, False),
        ("gaps in sequence, worst run", lambda r: worst(r, "gaps", max), 0, False),
        ("resident MB, highest", lambda r: megabytes(worst(r, "resident", max)), 1, False),
    ]
    values = {label: {name: value(runs) for name, runs in results.items()} for label, value, _, _ in measures}
    rows = []
    for label, _, digits, with_ratio in measures:
        ours = ratio(values[label].get(Ours.name), values[label].get(Tcpstates.name)) if with_ratio else None
        rows.append([label, *(number(values[label][name], digits) for name in results),
                     "" if ours is None else f"{ours:.3f}"])
    targets = []
    if not rated:
        for label, what in [("consumer, µs CPU per transition", "consumer CPU per event"),
                            ("… added by tracing", "CPU added to the traced process")]:
            seen = ratio(values[label].get(Ours.name), values[label].get(Tcpstates.name))
            targets.append(target(f"{what}, relative to tcpstates; {title}", 1 / 15, seen))
        lost = worst(results.get(Ours.name, []), "lost", max)
        targets.append(target(f"events lost; {title}", 0, lost, 0))
    return section(title, ["", *results, "ours / tcpstates"], rows, results, targets)


def megabytes(value):
    return None if value is None else value / 1e6


def churn(threads):
    """At full speed, on that many threads."""
    title = f"{CONNECTIONS:,} connections at full speed, {threads} thread{'s' * (threads > 1)}"
    return lambda tracers, folder: [load(tracers, folder, title, f"churn {threads}", threads)]


def paced(tracers, folder):
    """1,000 connections a second."""
    return [load(tracers, folder, "1,000 connections/s for 5 s", "paced", 1, 5000, 1000)]


def idle(tracers, folder):
    """CPU time without load, and the time until attached."""
    results = {}
    for consumer in tracers:
        runs = []
        for round_number in range(ROUNDS):
            progress(f"idle, round {round_number + 1} of {ROUNDS}, {consumer.name}")
            settle()
            file = os.path.join(folder, "idle")
            process = consumer.start(file)
            process.wait_attached(consumer.blind_seconds)
            start = (process.attached - process.started) * 1000 if process.attached else None
            run = {"start": start, "start_cpu": process.cpu() * 1000}
            time.sleep(1)
            before = process.cpu()
            time.sleep(IDLE_SECONDS)
            run["idle"] = (process.cpu() - before) * 1000
            run["resident"] = process.resident()
            process.stop()
            run["rows"] = consumer.count(file, process.lines)["rows"]
            runs.append(run)
        results[consumer.name] = runs
    rows = [[name, number(median(runs, "start"), 1), number(median(runs, "start_cpu"), 1),
             number(median(runs, "idle"), 1), number(megabytes(median(runs, "resident")), 1),
             number(median(runs, "rows"))] for name, runs in results.items()]
    header = ["", "start to attached, ms", "CPU for that, ms", f"CPU ms in {IDLE_SECONDS} s", "resident MB",
              "events in that time"]
    seen = median(results.get(Ours.name, []), "start")
    return [section("Start, and idle", header, rows, results,
                    [target("start to attached, all sockets read, ms", 50, seen, 1)])]


def bpf(tracers, folder):
    """The time of the BPF programs themselves."""
    results = {}
    for consumer in tracers:
        runs = []
        for round_number in range(ROUNDS):
            progress(f"bpf, round {round_number + 1} of {ROUNDS}, {consumer.name}")
            settle()
            file = os.path.join(folder, "bpf")
            known = set(bpf_stats.programs())
            process = consumer.start(file)
            process.wait_attached(consumer.blind_seconds)
            with namespace() as net, bpf_stats.enabled():
                run_churn(net, 1, CONNECTIONS)
                programs = {i: p for i, p in bpf_stats.programs().items() if i not in known and p[1] > 0}
            process.stop()
            events = CONNECTIONS * TRANSITIONS
            handlers = [p for p in programs.values() if p[1] >= events]
            runs.append({"ns": sum(p[2] / p[1] for p in handlers) if handlers else None,
                         "programs": {p[0]: {"runs": p[1], "ns": p[2] / p[1]} for p in programs.values()}})
        results[consumer.name] = runs
    rows = [[name, number(median(runs, "ns")),
             ", ".join(f"{p} {v['ns']:.0f}" for p, v in runs[-1]["programs"].items() if v["runs"] >= CONNECTIONS)]
            for name, runs in results.items()]
    seen = ratio(median(results.get(Ours.name, []), "ns"), median(results.get(Tcpstates.name, []), "ns"))
    counted = ratio(median(results.get(InKernel.name, []), "ns"), median(results.get(Ours.name, []), "ns"))
    return [section("BPF run time per transition", ["", "ns", "programs"], rows, results,
                    [target("BPF run time per event, relative to tcpstates' program", 0.5, seen),
                     target("BPF run time of --in-kernel, relative to tcpstate-trace's", 0.5, counted)])]


def pipeline(tracers, folder):
    """From a decoded record to a written row, in Swift and in C."""
    records = os.path.join(folder, "records")
    with open(records, "wb") as stream:
        subprocess.run([BUILT / "records", str(CONNECTIONS)], stdout=stream, check=True)
    programs = {"Swift": PIPELINE, "C": BUILT / "twin"}
    outputs = {}
    for name, program in programs.items():
        if not os.access(program, os.X_OK):
            raise Failure(f"{program} is missing: make bench builds it")
        outputs[name] = os.path.join(folder, name)
        subprocess.run([program, records, outputs[name]], stdout=subprocess.DEVNULL, check=True)
    if not filecmp.cmp(outputs["Swift"], outputs["C"], shallow=False):
        raise Failure("the pipelines in Swift and C don't write the same bytes")
    size = os.path.getsize(outputs["Swift"])
    results = {name: [] for name in programs}
    for round_number in range(4 * ROUNDS):
        progress(f"pipeline, round {round_number + 1} of {4 * ROUNDS}")
        for name in turns(list(programs), round_number):
            ran = subprocess.run([programs[name], records, "/dev/null"], capture_output=True, text=True, check=True)
            results[name].append(int(ran.stdout.split()[0]))
    rows = [[name, number(statistics.median(ns)), number(min(ns))] for name, ns in results.items()]
    seen = ratio(statistics.median(results["Swift"]), statistics.median(results["C"]))
    rows.append(["Swift / C", f"{seen:.2f}", f"{min(results['Swift']) / min(results['C']):.2f}"])
    title = f"Pipeline: {CONNECTIONS * TRANSITIONS:,} records, {size:,} bytes of CSV, identical in both"
    return [section(title, ["", "ns CPU per event, median", "minimum"], rows, results,
                    [target("from record to row, Swift relative to C", 1.1, seen, 2)])]


def memory(tracers, folder):
    """The memory of a million tracked connections."""
    records = os.path.join(folder, "records")
    with open(records, "wb") as stream:
        subprocess.run([BUILT / "records", "500000", "open"], stdout=stream, check=True)
    results = []
    for round_number in range(ROUNDS):
        progress(f"memory, round {round_number + 1} of {ROUNDS}")
        ran = subprocess.run([PIPELINE, records, "/dev/null"], capture_output=True, text=True, check=True)
        tracked, grown = (int(number) for number in ran.stdout.split()[1:])
        results.append({"tracked": tracked, "bytes": grown})
    os.unlink(records)
    tracked, grown = median(results, "tracked"), median(results, "bytes")
    rows = [[f"{tracked:,.0f}", number(grown / 1e6, 1), number(grown / tracked, 1)]]
    return [section("Memory of tracked connections, both ends of 500,000", ["tracked", "MB", "bytes per connection"], rows,
                    {"trace": results}, [target("memory per tracked connection, with a million, bytes", 200, grown / tracked, 1),
                                         target("a million connections, MB", 220, grown / tracked, 1)])]


def recording(tracers, folder):
    """10 million rows, in summary and in DuckDB."""
    progress("summary --read and DuckDB")
    runs, error = summary.measure(BUILT / "recording", "10000000", os.environ.get("TCPSTATE_TEST_PYTHON", sys.executable))
    medians = {name: [statistics.median(column) for column in zip(*figures)] for name, figures in runs.items()}
    rows = [[name, *(number(value, digits) for value, digits in zip(values, (2, 2, 0)))]
            for name, values in medians.items()]
    ours, exact, approximate = list(medians.values())[:3]
    return [section("summary of 10,000,000 rows of CSV, all counts equal", ["", "s", "s of CPU", "MB"], rows, runs, [
        target("summary --read of 10 million rows, time relative to DuckDB", 0.5, ours[0] / min(exact[0], approximate[0]), 2),
        target("… its memory, MB", 300, ours[2], 0), target("… the error of its quantiles", 0.01, error, 4)])]


def many_open(tracers, folder):
    """50,000 and 200,000 open sockets: a look at them, and a tracer that starts meanwhile."""
    return [look(folder, sockets, section, target) for sockets in (50_000, 200_000)]


def real_servers(tracers, folder):
    """nginx, redis, HAProxy and PostgreSQL under load."""
    return servers(tracers, folder, section, target)


ALL = {"servers": real_servers, "idle": idle, "paced": paced, "churn-1": churn(1), "churn-2": churn(2), "bpf": bpf, "pipeline": pipeline,
       "memory": memory, "open": many_open, "recording": recording}
