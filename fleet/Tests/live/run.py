#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the exporter against real traffic, as root.

    fleet/Tests/live/run.py EXPORTER TRACER [--only NAME[,NAME…]]

agreement: the numbers are those of ss, of a trace's CSV, and of summary. scraping: promtool and a real Prometheus during churn,
EXPORTER_SECONDS (20). scrape: 50,000 connections and 200 listeners. processes: 5,000 with stuck connections. memory: flat over
EXPORTER_MEMORY_SECONDS (150). cost: next to trace's, EXPORTER_ROUNDS (5).
"""
import argparse
import os
import sys

import agreement
import bounds
import scraping
from harness import Failure, report

PARTS = {
    "agreement": agreement.run, "scraping": scraping.run, "scrape": bounds.scrape, "processes": bounds.processes,
    "memory": bounds.memory, "cost": bounds.cost,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exporter")
    parser.add_argument("tracer")
    parser.add_argument("--only", default=",".join(PARTS))
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("run.py: tracing needs root")
    failed = 0
    names = arguments.only.split(",")
    for name in names:
        report(f"{name}:")
        try:
            PARTS[name](os.path.abspath(arguments.exporter), os.path.abspath(arguments.tracer))
        except Failure as failure:
            failed += 1
            report(f"  FAILED: {failure}")
    report(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
