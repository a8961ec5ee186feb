# SPDX-License-Identifier: Apache-2.0
"""A report's page in a real Chromium, and the recording that it was made from, for the scripts next to this one."""
import contextlib
import csv
import math
import os
import re
import sys

from playwright.sync_api import sync_playwright

STATES = {"established": 1, "syn_sent": 2, "syn_received": 3, "fin_wait_1": 4, "fin_wait_2": 5, "time_wait": 6,
          "closed": 7, "close_wait": 8, "last_ack": 9, "listen": 10, "closing": 11}
FOLDER = sys.argv[2]


@contextlib.contextmanager
def opened(width=1440, height=900, scheme="light", name="page.html", wait=20_000, fragment=""):
    """A page that must log nothing and request nothing from the network."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
                                             args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC",
                                reduced_motion="reduce")
        said, asked = [], []
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{FOLDER}/{name}{fragment}")
        page.wait_for_selector("html[data-ready]", state="attached", timeout=wait)
        yield page
        assert not said, said
        # What is saved is a blob of the page's own.
        assert {url.partition("#")[0] for url in asked if not url.startswith("blob:")} == {f"file://{FOLDER}/{name}"}, asked
        browser.close()


def rows():
    with open(f"{FOLDER}/rows.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def connections(of=None):
    """Rows in order, by connection_id; listeners aren't connections."""
    result = {}
    for row in of or rows():
        if row["role"] != "listener":
            result.setdefault(row["connection_id"], []).append(row)
    return result


def number(text):
    return int(text.replace(",", ""))


def figure(page, name):
    return number(page.locator(f'[data-figure="{name}"]').inner_text())


def duration(nanoseconds):
    """A duration below a minute with three significant digits, as the command writes it."""
    for unit, name in ((1, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")):
        value = nanoseconds / unit
        if value < 999.5 or name == "s":
            digits = 0 if unit == 1 else max(0, 2 - max(0, math.floor(math.log10(value) + 1e-9)))
            return f"{math.floor(value * 10**digits + 0.5) / 10**digits:.{digits}f} {name}"


def shown(page):
    """How many connections the lanes have."""
    return number(re.match(r"[\d,]+", page.locator("#shown").inner_text())[0])


def sockets(page):
    """How many ends match the filters."""
    return number(re.search(r"([\d,]+) sockets?", page.locator("#shown").inner_text())[1])


def run(checks):
    """Runs the check that the command line names."""
    {check.__name__: check for check in checks}[sys.argv[1]]()
