# SPDX-License-Identifier: Apache-2.0
"""The page by Prometheus' own tools: promtool's lint, and a real Prometheus that scrapes during churn."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from harness import CHURN, Exporter, Process, check, free_port, inside, namespace, report, running, wait_for

SECONDS = int(os.environ.get("EXPORTER_SECONDS", 20))
RATE = 500

CONFIGURATION = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: tcpstate
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


def lint(exporter):
    page = exporter.scrape()
    result = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
    check(result.returncode == 0 and not result.stderr, f"promtool: {result.stdout}{result.stderr}")
    report(f"  promtool check metrics: clean, {len(page):,} bytes, "
           f"{sum(1 for line in page.splitlines() if not line.startswith('#')):,} series")


class Prometheus(Process):
    def __init__(self, folder, target):
        self.port = free_port()
        Path(folder, "prometheus.yml").write_text(CONFIGURATION.format(port=target))
        super().__init__(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                          f"--web.listen-address=127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL)

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                return json.load(response)["data"]
        except OSError:
            return None

    def value(self, query):
        data = self.ask("query", query=query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None


def families(page):
    return [line.split()[2:4] for line in page.splitlines() if line.startswith("# TYPE ")]


def scrape_during_churn(exporter, name, folder):
    prometheus = Prometheus(folder, exporter.port)
    with running(prometheus):
        wait_for("Prometheus scrapes", lambda: prometheus.value("up") == 1)
        # It asks for OpenMetrics, so the page has been parsed as that.
        begin = time.monotonic()
        while time.monotonic() - begin < SECONDS:
            subprocess.run(inside(name, CHURN, RATE, 1, RATE), check=True, stdout=subprocess.DEVNULL)
        wait_for("rates", lambda: (prometheus.value("sum(rate(tcpstate_transitions_total[10s]))") or 0) > 0)
        window = f"[{SECONDS}s]"
        check(prometheus.value(f"min_over_time(up{window})") == 1, "a scrape failed")
        names = set(prometheus.ask("label/__name__/values"))
        for family, kind in families(exporter.scrape()):
            if family.startswith(("tcpstate_stuck_oldest", "tcpstate_stuck_container_oldest", "tcpstate_listener",
                                  "tcpstate_ephemeral_ports")):
                continue  # only while there are any
            check((f"{family}_bucket" if kind == "histogram" else family) in names, f"Prometheus has no {family}")
        slow = prometheus.value(f"max_over_time(scrape_duration_seconds{window})")
        series = prometheus.value(f"max_over_time(scrape_samples_scraped{window})")
        report(f"  {SECONDS} s of {RATE} connections/s: every scrape of each second parsed, {series:,.0f} samples, "
               f"the slowest took {slow * 1000:.1f} ms; {len(names)} names")
        prometheus.stop()


def run(exporter_binary, _):
    for tool in ("promtool", "prometheus"):
        check(shutil.which(tool), f"{tool} isn't installed: apt-get install prometheus")
    with namespace() as name, tempfile.TemporaryDirectory() as folder:
        with running(Exporter(exporter_binary, netns=name)) as exporter:
            lint(exporter)
            scrape_during_churn(exporter, name, folder)
            lint(exporter)
            exporter.stop()
