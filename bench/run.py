#!/usr/bin/env python3
"""What tracing costs, side by side with tcpstates of libbpf-tools; run it by `make bench`.

The load is churn: loopback connections as fast as 1 and 2 threads can, 10 transitions
each. Every round runs it with no tracer, with ours and with tcpstates, each in turn
first; medians of BENCH_ROUNDS (5) rounds are printed, and the worst round's losses.
BENCH_CONNECTIONS (50000) sets the load, BENCH_WRITE=1 writes bench/RESULTS.md as well.

How it is measured:
- churn's CPU is its own getrusage(), which includes what the kernel does on its behalf:
  the tracepoint programs and, on loopback, the receiving side's softirq.
- The consumer's CPU is its whole process from attached until it has exited: its total at
  exit (wait4) less what its CPU clock showed when attached. Draining and closing count,
  loading doesn't. It is divided by the rows that it wrote.
- Each churn has a network namespace of its own, kept until the consumer has ended, so
  that no run meets the TIME-WAIT sockets of the one before (they would also fill
  net.ipv4.tcp_max_tw_buckets, beyond which the kernel leaves out TIME-WAIT).
- Rows of others' connections are told apart by churn's addresses; the end of a TIME-WAIT,
  which no event tells and which comes 60 s later, isn't one of the 10.
"""

import contextlib
import csv
import datetime
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = HERE.parent / ".build/release/tcpstate-trace"
CHURN = HERE.parent / ".build/bench/churn"
RESULTS = HERE / "RESULTS.md"

ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", 50000))
THREADS = (1, 2)
TRANSITIONS = 10  # a connection
IDLE_SECONDS = 10
STARTS = 5
ATTACH_TIMEOUT = 10
CHURN_TIMEOUT = 120
EXIT_TIMEOUT = 30

CHURN_ADDRESSES = {f"127.{thread}.{i}.1" for thread in range(16) for i in range(1, 41)}
NOT_COUNTED = {("closed", "listen"), ("listen", "closed"), ("time_wait", "closed"),
               ("CLOSE", "LISTEN"), ("LISTEN", "CLOSE")}

running = set()


class Failure(Exception):
    """A one-line reason why something can't be measured."""


class Process:
    """A child with its standard error read as it comes, so that it never blocks on it."""

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

    def wait_attached(self):
        if self._attached_line:
            self._event.wait(ATTACH_TIMEOUT)
            if self.attached is None:
                raise Failure(f"not attached: {self.last_words()}")
        else:
            time.sleep(1.5)  # tcpstates' header stays in its buffer: nothing tells
            if self.child.poll() is not None:
                raise Failure(f"ended at once: {self.last_words()}")

    def cpu(self):
        """CPU seconds of all its threads so far; the clock's number is CPUCLOCK_SCHED's."""
        return time.clock_gettime(~self.child.pid << 3 | 2)

    def drain(self):
        """Waits until it has caught up: its CPU clock stands still."""
        quiet, last = 0, self.cpu()
        for _ in range(100):
            time.sleep(0.1)
            now = self.cpu()
            quiet = quiet + 1 if now - last < 0.001 else 0
            last = now
            if quiet == 3:
                return

    def stop(self):
        """Ends it as Ctrl-C does; its CPU seconds over its life."""
        self.child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + EXIT_TIMEOUT
        while True:
            pid, status, usage = os.wait4(self.child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                raise Failure(f"did not end within {EXIT_TIMEOUT} s of SIGINT")
            time.sleep(0.01)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        running.discard(self.child)
        self._reader.join()
        return usage.ru_utime + usage.ru_stime

    def last_words(self):
        return self.lines[-1] if self.lines else "no message"


class Ours:
    name = "tcpstate-trace"
    attached_line = "Tracing TCP on"

    def __init__(self):
        if not os.access(BINARY, os.X_OK):
            raise Failure("not built: make build")

    def version(self):
        return output_of([BINARY, "--version"])

    def start(self, file):
        command = [BINARY, "trace", "--format", "csv", "--output", file]
        return Process(command, subprocess.DEVNULL, self.attached_line)

    def count(self, file, lines):
        rows, churned, gaps, expected = 0, 0, 0, 1
        with open(file, newline="", encoding="utf-8", errors="replace") as stream:
            reader = csv.reader(stream)
            column = {name: i for i, name in enumerate(next(reader))}
            wanted = ("local_address", "peer_address", "state_old", "state_new", "sequence")
            local, peer, old, new, sequence = (column[name] for name in wanted)
            for row in reader:
                rows += 1
                gaps += max(0, int(row[sequence]) - expected)
                expected = int(row[sequence]) + 1
                churned += is_churn(row[local], row[peer], row[old], row[new])
        footer = re.search(r"([\d,]+) lost", "\n".join(lines))
        lost = int(footer[1].replace(",", "")) if footer else None
        return {"rows": rows, "churned": churned, "lost": lost, "gaps": gaps}


class Tcpstates:
    name = "tcpstates"

    def __init__(self):
        # Debian ships the BCC script as tcpstates-bpfcc, so a tcpstates is the one of libbpf-tools.
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        self.binary = shutil.which("tcpstates", path=path)
        if not self.binary:
            raise Failure("not installed: apt-get install libbpf-tools")

    def version(self):
        with contextlib.suppress(OSError):
            return output_of(["dpkg-query", "-W", "-f", "${Version}", "libbpf-tools"])
        return ""

    def start(self, file):
        command = [self.binary, "-T", "-w"]
        if not os.path.isdir("/sys/kernel/tracing/events"):  # it needs tracefs: a mount of its own
            mount = 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"'
            command = ["unshare", "--mount", "sh", "-c", mount, "sh", *command]
        with open(file, "wb") as stream:
            return Process(command, stream)

    def count(self, file, lines):
        rows, churned = 0, 0
        with open(file, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                field = line.split()  # … LADDR LPORT RADDR RPORT OLDSTATE -> NEWSTATE MS
                if len(field) < 9 or field[-3] != "->" or field[-1] == "MS":
                    continue
                rows += 1
                churned += is_churn(field[-8], field[-6], field[-4], field[-2])
        lost = sum(int(n) for n in re.findall(r"lost (\d+) events", "\n".join(lines), re.I))
        return {"rows": rows, "churned": churned, "lost": lost, "gaps": None}


def is_churn(local, peer, old, new):
    """Whether the row is one of the 10 of a connection of churn, and not of its listeners."""
    mine = local in CHURN_ADDRESSES or peer in CHURN_ADDRESSES
    return mine and (old, new) not in NOT_COUNTED


def output_of(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip()


def settle():
    """Waits until the machine is quiet, 3 s at most: a namespace takes a while to go."""
    def busy():
        fields = [int(n) for n in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4]

    time.sleep(0.5)
    for _ in range(10):
        before = busy()
        time.sleep(0.25)
        if busy() - before <= 2:  # of 25 ticks a CPU
            return


@contextlib.contextmanager
def namespace():
    """A network namespace with a loopback device, as a path."""
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


def run_churn(threads, net):
    command = ["nsenter", f"--net={net}", CHURN, str(CONNECTIONS), str(threads)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    running.add(child)
    try:
        output, _ = child.communicate(timeout=CHURN_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failure(f"churn was not done in {CHURN_TIMEOUT} s") from None
    running.discard(child)
    if child.returncode != 0:
        raise Failure(f"churn failed with status {child.returncode}")
    connections, _, rate, cpu = output.split()
    return {"connections": int(connections), "rate": float(rate), "churn_cpu": float(cpu)}


def measure(consumer, threads, folder):
    """One run of churn under one consumer, or none."""
    settle()
    with namespace() as net:
        if consumer is None:
            return run_churn(threads, net)
        file = os.path.join(folder, consumer.name)
        process = consumer.start(file)
        process.wait_attached()
        before = process.cpu()
        result = run_churn(threads, net)
        process.drain()
        cpu = process.stop() - before
    result.update(consumer.count(file, process.lines))
    result["others"] = result["rows"] - result["churned"]
    result["event_cpu"] = cpu * 1e6 / result["rows"] if result["rows"] else None
    result["bytes"] = os.path.getsize(file)
    os.unlink(file)
    return result


def measure_start(consumer, folder):
    """Milliseconds from spawning to the opening line."""
    times = []
    for _ in range(STARTS):
        process = consumer.start(os.path.join(folder, "start"))
        process.wait_attached()
        times.append((process.attached - process.started) * 1000)
        process.stop()
    return statistics.median(times)


def measure_idle(consumer, folder):
    """Milliseconds of CPU over IDLE_SECONDS without load, and the rows that others caused."""
    file = os.path.join(folder, "idle")
    process = consumer.start(file)
    process.wait_attached()
    time.sleep(1)
    before = process.cpu()
    time.sleep(IDLE_SECONDS)
    cpu = process.cpu() - before
    process.stop()
    return cpu * 1000, consumer.count(file, process.lines)["rows"]


def usable(consumers, folder):
    """Those that can be made and start; of the others it says why not."""
    found = []
    for make in consumers:
        try:
            consumer = make()
            process = consumer.start(os.path.join(folder, "try"))
            process.wait_attached()
            process.stop()
            found.append(consumer)
        except Failure as failure:
            print(f"bench: without {make.name}: {failure}", file=sys.stderr)
    return found


def run_rounds(consumers, folder):
    """results[threads][name] is a list of one result a round."""
    results = {t: {c.name if c else "none": [] for c in consumers} for t in THREADS}
    for number in range(ROUNDS):
        for threads in THREADS:
            turn = number % len(consumers)
            for consumer in consumers[turn:] + consumers[:turn]:
                name = consumer.name if consumer else "none"
                progress(f"round {number + 1} of {ROUNDS}, {threads} thread(s), {name}")
                results[threads][name].append(measure(consumer, threads, folder))
    progress("")
    return results


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def median(results, key):
    values = [r[key] for r in results if r.get(key) is not None]
    return statistics.median(values) if values else None


def worst(results, key, choose):
    values = [r[key] for r in results if r.get(key) is not None]
    return choose(values) if values else None


def load_table(results, names):
    """A line a measure, a cell a consumer, and at last the ratio ours / tcpstates."""
    baseline = [r["churn_cpu"] for r in results["none"]]
    for name in names:
        for r, none in zip(results[name], baseline):
            r["added_cpu"] = None if name == "none" else r["churn_cpu"] - none
    expected = results["none"][0]["connections"] * TRANSITIONS
    measures = [
        ("churn, connections/s", lambda r: median(r, "rate"), 0, False),
        ("churn, µs CPU a connection", lambda r: median(r, "churn_cpu"), 1, False),
        ("… added by tracing", lambda r: median(r, "added_cpu"), 1, True),
        ("consumer, µs CPU an event", lambda r: median(r, "event_cpu"), 2, True),
        (f"events written of {expected:,}, worst", lambda r: worst(r, "churned", min), 0, False),
        ("lost as it reports, worst", lambda r: worst(r, "lost", max), 0, False),
        ("gaps in sequence, worst", lambda r: worst(r, "gaps", max), 0, False),
        ("rows of others and of listeners, worst", lambda r: worst(r, "others", max), 0, False),
        ("bytes an event", bytes_an_event, 0, False),
    ]
    table = []
    for label, value, digits, with_ratio in measures:
        values = {name: value(results[name]) for name in names}
        ratio = ratio_of(values) if with_ratio else ""
        table.append([label, *(number(values[name], digits) for name in names), ratio])
    return table


def bytes_an_event(results):
    total = [r["bytes"] / r["rows"] for r in results if r.get("rows")]
    return statistics.median(total) if total else None


def ratio_of(values):
    ours, theirs = values.get(Ours.name), values.get(Tcpstates.name)
    return f"{ours / theirs:.3f}" if ours is not None and theirs else ""


def as_text(header, rows):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) if i else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in [header, *rows])


def as_markdown(header, rows):
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def machine():
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return ", ".join([f"Linux {platform.release()} {platform.machine()}",
                      system[1] if system else "", f"{os.cpu_count()} CPUs",
                      model[1] if model else "unnamed CPU"])


def write_results(sections, facts):
    text = "# Results of `make bench`\n\n" + "\n".join(f"- {fact}" for fact in facts) + "\n"
    for title, header, rows in sections:
        text += f"\n## {title}\n\n{as_markdown(header, rows)}\n"
    how = __doc__.split("How it is measured:\n")[1]
    RESULTS.write_text(text + "\n## How it is measured\n\n" + how, encoding="utf-8")
    if "SUDO_UID" in os.environ:
        os.chown(RESULTS, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def bench(folder):
    facts = [machine()]
    tracers = usable([Ours, Tcpstates], folder)
    facts += [f"{c.name} {c.version()}" for c in tracers]
    facts.append(datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"))
    print("\n".join(facts))

    quiet = []
    for consumer in tracers:
        progress(f"start and idle, {consumer.name}")
        start = measure_start(consumer, folder) if consumer.name == Ours.name else None
        cpu, rows = measure_idle(consumer, folder)
        quiet.append([consumer.name, number(start), number(cpu, 1), number(rows)])
    sections = [("Quiet", ["", f"start to attached, ms, median of {STARTS}",
                           f"CPU ms in {IDLE_SECONDS} s", "events meanwhile"], quiet)]

    results = run_rounds([None, *tracers], folder)
    names = ["none", *(c.name for c in tracers)]
    for threads in THREADS:
        title = (f"{CONNECTIONS:,} connections, {threads} thread{'s' if threads > 1 else ''}, "
                 f"median of {ROUNDS}")
        header = ["", *names, "ours / tcpstates"]
        sections.append((title, header, load_table(results[threads], names)))
    for title, header, rows in sections:
        print(f"\n{title}\n{as_text(header, rows)}")
    if os.environ.get("BENCH_WRITE") == "1":
        write_results(sections, facts)
        print(f"\nWritten to {RESULTS}")


def main():
    if os.geteuid() != 0:
        sys.exit("bench: tracing needs root: make bench")
    if not os.access(CHURN, os.X_OK):
        sys.exit(f"bench: {CHURN} is missing: make bench builds it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="tcpstate-bench-") as folder:
            bench(folder)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        for child in running:
            with contextlib.suppress(OSError):
                child.kill()


main()
