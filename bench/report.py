#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how long a report of 50,000 connections takes to make, and to open in Chromium; fails above 5 s.

`make bench-report` runs it with BENCH_CONNECTIONS (50,000). The page is opened BENCH_ROUNDS (5) times; the median counts.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

HERE = os.path.dirname(os.path.abspath(__file__))
GENERATOR = os.path.join(HERE, "../Tests/Page/peers/recording.py")
BINARY = os.environ.get("TCPSTATE_TEST_BINARY", os.path.join(HERE, "../.build/release/tcpstate-trace"))
CONNECTIONS = os.environ.get("BENCH_CONNECTIONS", "50000")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
LONGEST = 5


def make(folder):
    with open(f"{folder}/rows.csv", "wb") as file:
        subprocess.run([sys.executable, GENERATOR, CONNECTIONS, "600"], stdout=file, check=True)
    begin = time.monotonic()
    report = subprocess.Popen([BINARY, "report", "--read", f"{folder}/rows.csv", "--output", f"{folder}/page.html"])
    _, status, usage = os.wait4(report.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"report: status {status}")
    size = os.path.getsize(f"{folder}/page.html")
    print(f"made in {seconds:.2f} s, {size / 1e6:.1f} MB, peak {usage.ru_maxrss / 1024:.0f} MB of memory")


def open_page(playwright, folder):
    """From the beginning of loading until the page has been drawn and answers."""
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    begin = time.monotonic()
    page.goto(f"file://{folder}/page.html")
    page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seconds = time.monotonic() - begin
    begin = time.monotonic()
    page.fill("#search", "nginx")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    filtered = time.monotonic() - begin
    begin = time.monotonic()
    page.evaluate("""new Promise((done) => {
        let frames = 0;
        const box = document.getElementById('lanes');
        const step = () => {
            box.scrollTop += 500;
            frames += 1;
            if (frames < 60) requestAnimationFrame(step); else done();
        };
        step();
    })""")
    frame = (time.monotonic() - begin) / 60
    browser.close()
    return seconds, filtered, frame


def main():
    print(f"{int(CONNECTIONS):,} connections, {os.cpu_count()} CPUs", flush=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        make(folder)
        figures = list(zip(*(open_page(playwright, folder) for _ in range(ROUNDS))))
        for name, values in zip(("open", "filter", "frame while scrolling"), figures):
            print(f"{name}: median {statistics.median(values):.3f} s, worst {max(values):.3f} s of {ROUNDS}")
        if statistics.median(figures[0]) > LONGEST:
            sys.exit(f"report: the limit is exceeded: open in {LONGEST} s")


if __name__ == "__main__":
    main()
