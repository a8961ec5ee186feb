#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what `top` costs with many open connections; `make bench-top` runs it.

Holds BENCH_SOCKETS (100000) connected sockets in a network namespace of their own, runs `top` for it on an 80x24 terminal
and on one of 200x50, and measures its CPU time (user and system, /proc/PID/stat): for 20 s without typing, for 10 s with
five keys per second, with a filter, with groups, sorted by bytes, for which all sockets are read, and in the detail of one
connection, which is read from the kernel's tables again and again. TCPSTATE_BINARY names another binary. Exits with 1 if
without typing it takes 5 % of a CPU or more.
"""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("TCPSTATE_BINARY", str(HERE.parent / ".build/release/tcpstate-trace"))
SOCKETS = os.environ.setdefault("BENCH_SOCKETS", "100000")
os.environ["BENCH_STUCK"] = "1000"


def cpu(pid):
    words = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Terminal:
    """`top` on a terminal that reads everything it draws."""

    def __init__(self, netns, width, height):
        self.drawn = 0
        self.frames = 0
        self.screen = b""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.environ["XDG_CONFIG_HOME"] = "/nonexistent"
            os.execv(BINARY, [BINARY, "top", "--netns", netns])
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        threading.Thread(target=self.drain, daemon=True).start()

    def drain(self):
        while True:
            try:
                data = os.read(self.end, 65536)
            except OSError:
                return
            self.drawn += len(data)
            self.frames += data.count(b"\x1b[H")
            self.screen = (self.screen + data)[-65536:]

    def measure(self, what, seconds, key=None):
        frames, before, began = self.frames, cpu(self.pid), time.monotonic()
        while time.monotonic() - began < seconds:
            if key:
                os.write(self.end, key)
            time.sleep(0.2)
        used = (cpu(self.pid) - before) / (time.monotonic() - began)
        print("%-28s %6.2f %% of one CPU, %4.1f frames a second" % (what, used * 100, (self.frames - frames) / seconds))
        return used

    def press(self, keys):
        os.write(self.end, keys)
        time.sleep(2)


def measure(terminal, width, height):
    """Prints what each way of looking costs; returns the part of a CPU without typing."""
    deadline = time.monotonic() + 60
    shown = "{:,} sort worst".format(int(SOCKETS)).encode()
    while shown not in terminal.screen:
        if time.monotonic() > deadline:
            sys.exit("bench: top doesn't show the sockets; run as root")
        time.sleep(0.1)
    time.sleep(2)
    print("top with %s sockets, %dx%d" % (SOCKETS, width, height))
    idle = terminal.measure("nobody types", 20)
    terminal.measure("five keys a second", 10, b"\x1b[B")
    terminal.press(b"/close-wait\r")
    terminal.measure("filtered", 10)
    terminal.press(b"\x1bg")
    terminal.measure("by process", 10)
    terminal.press(b"gggb")
    terminal.measure("sorted by bytes", 10)
    terminal.press(b"d\r")
    terminal.measure("one connection's detail", 10)
    os.write(terminal.end, b"q")
    os.waitpid(terminal.pid, 0)
    return idle


def main():
    holder = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$0" "$1" hold', sys.executable, HERE / "stuck.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)
    try:
        if holder.stdout.readline() != "ready\n":
            sys.exit("bench: the sockets can't be opened")
        idle = [
            measure(Terminal("/proc/%d/ns/net" % holder.pid, width, height), width, height)
            for width, height in ((80, 24), (200, 50))]
        if max(idle) >= 0.05:
            sys.exit("bench: more than 5 % of a CPU without typing")
    finally:
        holder.stdin.close()
        holder.wait()


main()
