# SPDX-License-Identifier: Apache-2.0
"""Child processes, namespaces and loads of the benchmark."""

import contextlib
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / ".build/bench"
CHURN = BUILT / "churn"

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", 50000))
ATTACH_TIMEOUT = 20
CHURN_TIMEOUT = 120
EXIT_TIMEOUT = 40

running = set()


class Failure(Exception):
    """A one-line reason why something can't be measured."""


class Process:
    """A child whose standard error is read as it comes, so that it never blocks on it."""

    def __init__(self, command, stdout, attached_line=None):
        self.started = time.monotonic()
        self.attached = None
        self.lines = []
        self._attached_line = attached_line
        self._event = threading.Event()
        self.child = subprocess.Popen(
            command, stdout=stdout, stderr=subprocess.PIPE, text=True, errors="replace")
        running.add(self.child)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stderr:
            if self._attached_line and line.startswith(self._attached_line):
                self.attached = time.monotonic()
                self._event.set()
            self.lines.append(line.rstrip("\n"))
        self._event.set()

    def wait_attached(self, blind_seconds):
        if self._attached_line:
            self._event.wait(ATTACH_TIMEOUT)
            if self.attached is None:
                raise Failure(f"not attached: {self.last_words()}")
        else:
            time.sleep(blind_seconds)  # its header stays in its buffer, so nothing shows it
            if self.child.poll() is not None:
                raise Failure(f"ended at once: {self.last_words()}")

    def cpu(self):
        """CPU seconds of all its threads so far; the clock's number is that of CPUCLOCK_SCHED."""
        return time.clock_gettime(~self.child.pid << 3 | 2)

    def resident(self):
        """Resident memory in bytes, its own and mapped files."""
        status = Path(f"/proc/{self.child.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def drain(self):
        """Waits until it has caught up, which is when its CPU clock stands still."""
        quiet, last = 0, self.cpu()
        for _ in range(100):
            time.sleep(0.1)
            now = self.cpu()
            quiet = quiet + 1 if now - last < 0.001 else 0
            last = now
            if quiet == 3:
                return

    def stop(self):
        """Ends it as Ctrl-C does; returns the CPU seconds of its whole life."""
        if self.child.poll() is not None:
            raise Failure(f"{self.child.args[-1][:40]} ended by itself: {self.last_words()}")
        self.child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + EXIT_TIMEOUT
        while True:
            pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                raise Failure(f"{self.child.args[-1][:40]} did not end within {EXIT_TIMEOUT} s of SIGINT")
            time.sleep(0.01)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        running.discard(self.child)
        self._reader.join()
        return usage.ru_utime + usage.ru_stime

    def last_words(self):
        return self.lines[-1] if self.lines else "no message"


def output_of(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()


def package_version(package):
    with contextlib.suppress(OSError):
        return output_of(["dpkg-query", "-W", "-f", "${Version}", package])
    return ""


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    virtual = "hypervisor" in Path("/proc/cpuinfo").read_text()
    return ", ".join([f"Linux {platform.release()} {platform.machine()}",
                      system[1] if system else "", f"{os.cpu_count()} CPUs",
                      (model[1] if model else "unnamed CPU") + (", a virtual machine" if virtual else "")])


def settle():
    """Waits until the machine is quiet, 3 s at most, because a namespace takes a while to go."""
    def busy():
        fields = [int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4]

    time.sleep(0.3)
    for _ in range(10):
        before = busy()
        time.sleep(0.25)
        if busy() - before <= 2:  # of 25 ticks per CPU
            return


@contextlib.contextmanager
def namespace():
    """A network namespace with a loopback device; yields its path."""
    command = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    running.add(holder)
    try:
        if holder.stdout.readline() != "up\n":
            raise Failure("could not make a network namespace")
        yield f"/proc/{holder.pid}/ns/net"
    finally:
        holder.kill()
        holder.wait()
        running.discard(holder)


def run_churn(net, threads, connections=CONNECTIONS, rate=0):
    command = ["nsenter", f"--net={net}", CHURN, str(connections), str(threads), str(rate)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    running.add(child)
    try:
        output, _ = child.communicate(timeout=CHURN_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failure(f"churn did not finish within {CHURN_TIMEOUT} s") from None
    running.discard(child)
    if child.returncode != 0:
        raise Failure(f"churn failed with status {child.returncode}")
    made, _, reached, cpu = output.split()
    return {"connections": int(made), "rate": float(reached), "churn_cpu": float(cpu)}


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def turns(things, round_number):
    """Things in another order each round."""
    turn = round_number % len(things)
    return things[turn:] + things[:turn]


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def median(results, key):
    values = [r[key] for r in results if r.get(key) is not None]
    return statistics.median(values) if values else None


def worst(results, key, choose):
    values = [r[key] for r in results if r.get(key) is not None]
    return choose(values) if values else None


def ratio(ours, theirs):
    return ours / theirs if ours is not None and theirs else None
