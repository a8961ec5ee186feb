# SPDX-License-Identifier: Apache-2.0
"""The numbers of the page are those of `ss`, of the CSV of a trace that runs meanwhile, and of `summary`."""

import collections
import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import CHURN, Exporter, Process, check, inside, namespace, report, running, wait_for

HERE = Path(__file__).resolve().parent
CONNECTIONS = 2000
# Seconds for each stay, on average.
CLOCKS_APART = 20e-6
SS_STATES = {
    "ESTAB": "established", "SYN-SENT": "syn_sent", "SYN-RECV": "syn_received", "FIN-WAIT-1": "fin_wait_1",
    "FIN-WAIT-2": "fin_wait_2", "TIME-WAIT": "time_wait", "CLOSE-WAIT": "close_wait", "LAST-ACK": "last_ack",
    "LISTEN": "listen", "CLOSING": "closing",
}


def ss_counts(name):
    output = subprocess.run(inside(name, "ss", "-tanH"), capture_output=True, text=True, check=True).stdout
    return collections.Counter(SS_STATES[line.split()[0]] for line in output.splitlines())


def connections_agree(exporter, name):
    """Whether `ss`, before and after a page was written, counts as the page does."""
    before = ss_counts(name)
    page = exporter.next_page()
    counts = {dict(labels)["state"]: value for labels, value in page.family("tcpstate_connections").items()}
    return before == ss_counts(name) and {s: n for s, n in counts.items() if n} == before and page


def compare(family, page, expected):
    found = {tuple(value for _, value in labels): value for labels, value in page.family(family).items() if value}
    check(found == dict(expected), f"{family}: {found} instead of {dict(expected)}")
    report(f"  {family}: {len(expected)} series, {sum(expected.values()):,.0f} in all, as in the CSV")


def compare_rows(page, path):
    transitions, ends = collections.Counter(), collections.Counter()
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["state_old"] == row["state_new"]:
                continue
            transitions[row["state_old"], row["state_new"]] += 1
            if row["reason"] and row["state_old"] != "time_wait" and row["state_new"] in ("closed", "time_wait"):
                ends[row["reason"], row["role"]] += 1
    check(len(ends) >= 6, f"only {len(ends)} kinds of ends were made: {dict(ends)}")
    compare("tcpstate_transitions_total", page, transitions)
    compare("tcpstate_connection_ends_total", page, ends)


def compare_summary(page, text):
    rows = list(csv.DictReader(text.splitlines()))
    check(len(rows) >= 8, f"summary has only {len(rows)} states")
    worst = 0
    for row in rows:
        count = page.get("tcpstate_stay_seconds_count", state=row["state"])
        stays = int(row["stays"] or 0)
        if stays == 0:
            continue
        check(count == stays, f"{row['state']}: {count} stays, summary has {stays}")
        total, expected = page.get("tcpstate_stay_seconds_sum", state=row["state"]), int(row["total_ns"]) / 1e9
        # Each of the two reads the clock in its own BPF program, some microseconds before or after the other.
        apart = abs(total - expected) / stays
        check(apart < CLOCKS_APART, f"{row['state']}: {total} s in all, summary has {expected}")
        worst = max(worst, apart)
    report(f"  tcpstate_stay_seconds: counts of {len(rows)} states as in summary, sums within {worst * 1e6:.2f} µs for each stay")


def run(exporter_binary, tracer):
    with namespace() as name, tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/trace.csv"
        trace = Process([tracer, "--netns", f"/run/netns/{name}", "--format", "csv", "--output", path])
        with running(trace), running(Exporter(exporter_binary, netns=name)) as exporter:
            trace.wait_for_message("Tracing TCP")
            holder = subprocess.Popen(inside(name, sys.executable, "-B", HERE / "sockets.py", "mix"),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                check(holder.stdout.readline() == "ready\n", "the sockets can't be opened")
                subprocess.run(inside(name, CHURN, CONNECTIONS, 2), check=True, stdout=subprocess.DEVNULL)
                page = wait_for("counts of ss and the page agree", lambda: connections_agree(exporter, name))
                report(f"  tcpstate_connections: {sum(page.family('tcpstate_connections').values()):,.0f} sockets, as in ss")
                # Before the first TIME-WAIT ends, which one of the two might see and the other not.
                trace.stop()
                page = exporter.next_page()
                compare_rows(page, path)
                summary = subprocess.run([tracer, "summary", "--read", path, "--format", "csv"], capture_output=True,
                                         text=True, check=True).stdout
                compare_summary(page, summary)
                exporter.stop()
            finally:
                holder.stdin.close()
                holder.wait(60)
    check("0 lost, 0 unmatched" in exporter.messages(), exporter.messages())
