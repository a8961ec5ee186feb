# SPDX-License-Identifier: Apache-2.0
"""A real exporter and a real Prometheus on loopback, which end with the test."""
import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

LIMIT = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(what, ready):
    """Asks until `ready` gives something; an error of the network is a no."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        try:
            if found := ready():
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{what}: nothing in {LIMIT} s")


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def filled_in(query):
    """The query with the dashboard's variables replaced, as Grafana does."""
    return query.replace("$__rate_interval", "1m").replace("$job", ".*").replace("$instance", ".*")


class Program:
    def __init__(self, *command):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def __enter__(self):
        try:
            self.started()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def alive(self):
        if self.process.poll() is not None:
            self.log.seek(0)
            raise AssertionError(f"it has ended with {self.process.returncode}: {self.log.read()}")


class Exporter(Program):
    def __init__(self, binary):
        self.port = free_port()
        super().__init__(binary, f"--web.listen-address=127.0.0.1:{self.port}")

    def started(self):
        wait_for("the exporter", lambda: self.alive() or get(f"http://127.0.0.1:{self.port}/healthz"))

    def families(self):
        page = get(f"http://127.0.0.1:{self.port}/metrics")
        subprocess.run(["promtool", "check", "metrics"], input=page, text=True, check=True)
        return set(re.findall(r"^# TYPE (\S+)", page, re.M))


class Prometheus(Program):
    def __init__(self, target, rules):
        self.port, self.folder = free_port(), tempfile.mkdtemp(prefix="tcpstate-prometheus-")
        shutil.copy(f"{rules}/tcpstate.rules.yaml", self.folder)
        with open(f"{rules}/scrape.yaml", encoding="utf-8") as file:
            text = file.read().replace("127.0.0.1:10435", f"127.0.0.1:{target}")
        with open(f"{self.folder}/prometheus.yml", "w", encoding="utf-8") as file:
            file.write("global: {scrape_interval: 1s, evaluation_interval: 1s}\n" + text)
        super().__init__("prometheus", f"--config.file={self.folder}/prometheus.yml",
                         f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}")

    def started(self):
        wait_for("scrapes", lambda: self.alive() or self.query("sum_over_time(up[1m]) >= 5"))

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.folder)

    def query(self, expression):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            answer = json.loads(get(url))
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise  # it is starting
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        return answer["data"]["result"]

    def scrape(self):
        """Seconds of the last scrape."""
        return float(self.query("scrape_duration_seconds")[0]["value"][1])
