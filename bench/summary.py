#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times `summary --read` and DuckDB's GROUP BY with quantiles, on the same recording, in turns.

Usage: summary.py RECORDING-GENERATOR [ROWS]

Counts must be equal, and quantiles, which DuckDB computes exactly, within 1 %. It also fails if summary takes more than
half of DuckDB's time, or more than 300 MB. The median of BENCH_ROUNDS (5) rounds counts, in wall time, because that is
how long a user waits. CPU time, which other work on the machine changes less, is printed next to it. So is
`--by process`, next to DuckDB's GROUP BY with the process. There, quantiles aren't compared: in groups with few stays
DuckDB interpolates between two distant values.
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
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

QUERY = """
import duckdb, sys
duckdb.sql("set enable_progress_bar = false")
rows = duckdb.sql(f'''
    select {sys.argv[3]}, count(state_duration_ns), {sys.argv[2]}, max(state_duration_ns), sum(state_duration_ns)
    from read_csv('{sys.argv[1]}') where state_duration_ns is not null group by all
''').fetchall()
for *key, stays, quantiles, longest, total in rows:
    print("/".join(key), stays, *quantiles, longest, total, sep=",")
"""
EXACT = "quantile_cont(state_duration_ns, [0.5, 0.9, 0.99])"
APPROXIMATE = "approx_quantile(state_duration_ns, [0.5, 0.9, 0.99])"


def run(command):
    """Runs a command; returns its output, wall seconds, CPU seconds, and peak megabytes."""
    with tempfile.TemporaryFile() as output:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if status != 0:
            sys.exit(f"{command[0]}: status {status}")
        output.seek(0)
        return output.read().decode(), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(ours, theirs):
    """Returns the largest error of a quantile; everything else must be equal."""
    found = {}
    for row in csv.DictReader(io.StringIO(ours)):
        if row["stays"] != "0":
            found["/".join(filter(None, (row["state"], row.get("process_name"))))] = row
    error = 0.0
    expected = [line.split(",") for line in theirs.splitlines()]
    if len(expected) != len(found):
        sys.exit(f"{len(found)} lines, DuckDB has {len(expected)}")
    for state, stays, p50, p90, p99, longest, total in expected:
        row = found[state]
        for name, value in (("stays", stays), ("longest_ns", longest), ("total_ns", total)):
            if int(row[name]) != int(value):
                sys.exit(f"{state}: {name} is {row[name]}, DuckDB has {value}")
        for name, value in (("p50_ns", p50), ("p90_ns", p90), ("p99_ns", p99)):
            error = max(error, abs(int(row[name]) / float(value) - 1))
    return error


def measure(generator, rows, python, report=lambda text: None):
    """Returns, by name, (wall seconds, CPU seconds, megabytes) of each round, and the largest error of a quantile."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/recording.csv"
        with open(path, "wb") as file:
            subprocess.run([generator, rows], stdout=file, check=True)
        report(f"{int(rows):,} rows, {os.path.getsize(path) / 1e6:,.0f} MB, {os.cpu_count()} CPUs")
        ours = [BINARY, "summary", "--read", path, "--format", "csv"]
        theirs = [python, "-c", QUERY, path]
        by_process = "state_old, process_name"
        commands = {
            "summary --read": ours,
            "DuckDB, quantile_cont": theirs + [EXACT, "state_old"],
            "DuckDB, approx_quantile": theirs + [APPROXIMATE, "state_old"],
            "summary --by process": ours + ["--by", "process"],
            "DuckDB, quantile_cont by it": theirs + [EXACT, by_process],
        }
        runs = {name: [] for name in commands}
        outputs = {}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                outputs[name], *figures = run(command)
                runs[name].append(figures)
    total, exact, _, grouped, grouped_exact = commands
    compare(outputs[grouped], outputs[grouped_exact])
    return runs, compare(outputs[total], outputs[exact])


def main():
    rows = sys.argv[2] if len(sys.argv) > 2 else "10000000"
    runs, error = measure(sys.argv[1], rows, sys.executable, print)
    print(f"{'median of ' + str(ROUNDS):28} {'clock':>8} {'CPU':>8} {'peak':>8}")
    seconds, peaks = {}, {}
    for name, figures in runs.items():
        clock, cpu, peak = zip(*figures)
        seconds[name], peaks[name] = statistics.median(clock), max(peak)
        print(f"{name:28} {seconds[name]:6.2f} s {statistics.median(cpu):6.2f} s {peaks[name]:5.0f} MB")
    total, exact, approximate, grouped, grouped_exact = runs
    print(f"counts, longest and total equal; quantiles differ by at most {error * 100:.2f} %")
    ratio = seconds[total] / min(seconds[exact], seconds[approximate])
    print(f"{ratio:.2f} of DuckDB's time; by process {seconds[grouped] / seconds[grouped_exact]:.2f}")
    if error > 0.01 or ratio > 0.5 or peaks[total] > 300:
        sys.exit("summary: a limit is exceeded: 1 %, half the time, 300 MB")


if __name__ == "__main__":
    main()
