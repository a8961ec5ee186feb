# SPDX-License-Identifier: Apache-2.0
"""The exporter and what it is compared with, run as root in network namespaces of their own."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CHURN = ROOT / ".build/bench/churn"
PATIENCE = 60

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Failure(Exception):
    """One line: what isn't as it should be."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def wait_for(what, condition, seconds=PATIENCE):
    """Returns what the condition gives once it is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    raise Failure(f"{what}: not within {seconds} s")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def namespace():
    """A network namespace with a loopback device; yields its name."""
    name = f"exporter-{os.getpid()}-{free_port()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def inside(name, *command):
    return ["ip", "netns", "exec", name, *map(str, command)]


class Process:
    """A child whose standard error goes to a file, and that is ended by SIGTERM."""

    def __init__(self, command, **options):
        self.errors = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen([str(word) for word in command], stderr=self.errors, **options)

    def messages(self):
        self.errors.seek(0)
        return self.errors.read()

    def wait_for_message(self, text):
        def has():
            check(self.child.poll() is None, f"{self.child.args[0]} ended: {self.messages().strip()}")
            return text in self.messages()
        wait_for(f"'{text}' of {self.child.args[0]}", has)

    def resident(self):
        """Bytes."""
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.child.pid}/status").read_text())[1]) * 1024

    def cpu(self):
        """CPU seconds of all its threads so far; the clock's number is that of CPUCLOCK_SCHED."""
        return time.clock_gettime(~self.child.pid << 3 | 2)

    def stop(self, status=0):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        got = self.child.wait(PATIENCE)
        check(got == status, f"{self.child.args[0]} ended with {got}: {self.messages().strip()}")


class Page:
    """The samples of one scrape."""

    def __init__(self, text):
        self.text = text
        self.samples = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                key = (name, tuple(sorted(LABEL.findall(labels or ""))))
                check(key not in self.samples, f"{line}: the series is there twice")
                self.samples[key] = float(value)

    def __getitem__(self, key):
        return self.samples[key]

    def get(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))))

    def family(self, name):
        """Values by labels."""
        return {labels: value for (its, labels), value in self.samples.items() if its == name}


class Exporter(Process):
    """The exporter, tracing one namespace and answering on this one's loopback."""

    def __init__(self, binary, *options, netns=None):
        self.port = free_port()
        scope = ["--trace.netns", f"/run/netns/{netns}"] if netns else []
        super().__init__([binary, "--web.listen-address", f"127.0.0.1:{self.port}", *scope, *options])
        try:
            self.wait_for_message("tracing")
            wait_for("the first page", self.is_ready)
        except BaseException:
            self.child.kill()
            raise

    def is_ready(self):
        with contextlib.suppress(OSError):
            return bool(self.scrape())
        return False

    def scrape(self, accept="text/plain;version=0.0.4"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.read().decode()

    def page(self):
        return Page(self.scrape())

    def next_page(self, pages=2):
        """A page that was begun after this call."""
        name = "process_cpu_seconds_total"
        for _ in range(pages):
            before = self.page().get(name)
            wait_for("the next page", lambda: self.page().get(name) != before)
        return self.page()


@contextlib.contextmanager
def running(process):
    try:
        yield process
    finally:
        if process.child.poll() is None:
            process.child.kill()
            process.child.wait()


def report(text):
    print(text)
    sys.stdout.flush()
