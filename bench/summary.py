#!/usr/bin/env python3
"""Times `summary --read` against DuckDB's GROUP BY with quantiles, on the same recording, in turns.

Usage: summary.py RECORDING-GENERATOR [ROWS]

Counts must be equal, and quantiles, which DuckDB computes exactly, within 1 %; else it fails. It fails too
if summary takes more than half of DuckDB's time, or 300 MB. BENCH_ROUNDS (3) rounds, the median counts.
"""

import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time

BINARY = os.environ.get("TCPSTATE_TEST_BINARY", ".build/release/tcpstate-trace")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))

QUERY = """
import duckdb, sys
duckdb.sql("set enable_progress_bar = false")
rows = duckdb.sql(f'''
    select state_old, count(state_duration_ns), {sys.argv[2]}, max(state_duration_ns), sum(state_duration_ns)
    from read_csv('{sys.argv[1]}') where state_duration_ns is not null group by all
''').fetchall()
for row in rows:
    print(*row[:2], *row[2], *row[3:], sep=",")
"""
EXACT = "quantile_cont(state_duration_ns, [0.5, 0.9, 0.99])"
APPROXIMATE = "approx_quantile(state_duration_ns, [0.5, 0.9, 0.99])"


def run(command):
    """Runs a command: its output, seconds and peak megabytes."""
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if status != 0:
            sys.exit(f"{command[0]}: status {status}")
        output.seek(0)
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def compare(ours, theirs):
    """The largest error of a quantile; all else must be equal."""
    found = {row["state"]: row for row in csv.DictReader(io.StringIO(ours)) if row["stays"] != "0"}
    error = 0.0
    expected = [line.split(",") for line in theirs.splitlines()]
    if len(expected) != len(found):
        sys.exit(f"{len(found)} states, DuckDB has {len(expected)}")
    for state, stays, p50, p90, p99, longest, total in expected:
        row = found[state]
        for name, value in (("stays", stays), ("longest_ns", longest), ("total_ns", total)):
            if int(row[name]) != int(value):
                sys.exit(f"{state}: {name} is {row[name]}, DuckDB has {value}")
        for name, value in (("p50_ns", p50), ("p90_ns", p90), ("p99_ns", p99)):
            error = max(error, abs(int(row[name]) / float(value) - 1))
    return error


def main():
    generator = sys.argv[1]
    rows = sys.argv[2] if len(sys.argv) > 2 else "10000000"
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/recording.csv"
        with open(path, "wb") as file:
            subprocess.run([generator, rows], stdout=file, check=True)
        print(f"{int(rows):,} rows, {os.path.getsize(path) / 1e6:,.0f} MB, {os.cpu_count()} CPUs")
        commands = {
            "summary --read": [BINARY, "summary", "--read", path, "--format", "csv"],
            "DuckDB, quantile_cont": [sys.executable, "-c", QUERY, path, EXACT],
            "DuckDB, approx_quantile": [sys.executable, "-c", QUERY, path, APPROXIMATE],
        }
        times = {name: [] for name in commands}
        peaks = {name: 0.0 for name in commands}
        outputs = {}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                outputs[name], seconds, peak = run(command)
                times[name].append(seconds)
                peaks[name] = max(peaks[name], peak)
        for name in commands:
            print(f"{name:24} {statistics.median(times[name]):6.2f} s  {peaks[name]:6.0f} MB")
        ours, exact, approximate = commands
        error = compare(outputs[ours], outputs[exact])
        print(f"counts, longest and total equal; quantiles at most {error * 100:.2f} % apart")
        fastest = min(statistics.median(times[exact]), statistics.median(times[approximate]))
        ratio = statistics.median(times[ours]) / fastest
        print(f"{ratio:.2f} of DuckDB's time")
        if error > 0.01 or ratio > 0.5 or peaks[ours] > 300:
            sys.exit("summary: a bound is broken: 1 %, half the time, 300 MB")


if __name__ == "__main__":
    main()
