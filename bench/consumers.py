# SPDX-License-Identifier: Apache-2.0
"""The tracers that are measured side by side."""

import csv
import os
import re
import shutil
import subprocess

from harness import HERE, Failure, Process, output_of, package_version

BINARY = os.environ.get("TCPSTATE_BINARY", str(HERE.parent / ".build/release/tcpstate-trace"))

CHURN_ADDRESSES = {f"127.{thread}.{i}.1" for thread in range(16) for i in range(1, 41)}
NOT_COUNTED = {("closed", "listen"), ("listen", "closed"), ("time_wait", "closed"),
               ("CLOSE", "LISTEN"), ("LISTEN", "CLOSE")}


def is_churn(local, peer, old, new):
    """Whether the row is one of the 10 of a connection of churn, and not one of its listeners'."""
    mine = local in CHURN_ADDRESSES or peer in CHURN_ADDRESSES
    return mine and (old, new) not in NOT_COUNTED


class Ours:
    name = "tcpstate-trace"
    program = "transition"
    rows_per_connection = 10
    blind_seconds = 0

    def __init__(self):
        if not os.access(BINARY, os.X_OK):
            raise Failure("not built: make build")

    def version(self):
        return output_of([BINARY, "--version"])

    def start(self, file):
        command = [BINARY, "trace", "--format", "csv", "--output", file]
        return Process(command, subprocess.DEVNULL, "Tracing TCP on")

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


class InKernel(Ours):
    """Counts in the kernel, so nothing is written per transition."""

    name = "--in-kernel"

    def version(self):
        return f"{self.name} is a mode of summary"

    def start(self, file):
        command = [BINARY, "summary", "--in-kernel", "--format", "csv", "--output", file]
        return Process(command, subprocess.DEVNULL, "Tracing TCP on")

    def count(self, file, lines):
        footer = re.search(r"([\d,]+) transitions in .*, ([\d,]+) lost", "\n".join(lines))
        transitions, lost = (int(n.replace(",", "")) for n in footer.groups()) if footer else (0, None)
        return {"rows": transitions, "churned": None, "lost": lost, "gaps": None}


def with_tracefs(command):
    """The command; if tracefs isn't mounted, with it in a mount namespace of its own."""
    if os.path.isdir("/sys/kernel/tracing/events"):
        return command
    mount = 'mount -t tracefs tracefs /sys/kernel/tracing && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", *command]


class Peer:
    """A tool that prints to standard output and doesn't report when it is attached."""

    blind_seconds = 1.5
    rows_per_connection = 10

    def __init__(self):
        # Debian ships BCC's script as tcpstates-bpfcc, so tcpstates is the one of libbpf-tools.
        self.binary = shutil.which(self.command[0], path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if not self.binary:
            raise Failure(f"not installed: apt-get install {self.package}")

    def version(self):
        return f"{self.package} {package_version(self.package)}"

    def start(self, file):
        with open(file, "wb") as stream:
            return Process(with_tracefs([self.binary, *self.command[1:]]), stream)


class Tcpstates(Peer):
    name = "tcpstates"
    package = "libbpf-tools"
    command = ["tcpstates", "-T", "-w"]
    program = "handle_set_stat"  # names of programs are cut after 15 bytes

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


class Tcplife(Peer):
    """Prints one line as a connection closes, from the same tracepoint."""

    name = "tcplife"
    package = "libbpf-tools"
    command = ["tcplife", "-T", "-w"]
    program = "inet_sock_set_s"
    rows_per_connection = 2

    def count(self, file, lines):
        rows, churned = 0, 0
        with open(file, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                field = line.split()  # [TIME] PID COMM [IP] LADDR LPORT RADDR RPORT TX_KB RX_KB MS
                if len(field) < 9 or field[-1] == "MS":
                    continue
                rows += 1
                churned += field[-7] in CHURN_ADDRESSES or field[-5] in CHURN_ADDRESSES
        lost = sum(int(n) for n in re.findall(r"lost (\d+) events", "\n".join(lines), re.I))
        return {"rows": rows, "churned": churned, "lost": lost, "gaps": None}


class Bpftrace(Peer):
    """What a user would write: one line per transition with process, ports and states."""

    name = "bpftrace"
    package = "bpftrace"
    program = "inet_sock_set_s"
    blind_seconds = 3
    command = [
        "bpftrace", "-q", "-e",
        'tracepoint:sock:inet_sock_set_state /args->protocol == 6/ { printf("%llu %p %d %s %d %d %d %d\\n", '
        "nsecs, args->skaddr, pid, comm, args->sport, args->dport, args->oldstate, args->newstate); }"]

    def count(self, file, lines):
        with open(file, encoding="utf-8", errors="replace") as stream:
            rows = sum(1 for line in stream if line[:1].isdigit())
        lost = sum(int(n) for n in re.findall(r"lost (\d+) events", "\n".join(lines), re.I))
        return {"rows": rows, "churned": None, "lost": lost, "gaps": None}
