#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what `top` costs with many open connections; `make bench-top` runs it.

Holds BENCH_SOCKETS (20000) connected sockets in a network namespace of their own, runs `top` for it on an 80x24 terminal,
and measures its CPU time (user and system, /proc/PID/stat): for 20 s without typing, for 10 s with five keys per second,
and for 10 s in the detail of one connection, which is read from the kernel's tables again and again. TCPSTATE_BINARY
names another binary.
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
SOCKETS = os.environ.setdefault("BENCH_SOCKETS", "20000")
os.environ["BENCH_STUCK"] = "1000"


def cpu(pid):
    words = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Terminal:
    """`top` on a terminal that reads everything it draws."""

    def __init__(self, netns):
        self.drawn = 0
        self.frames = 0
        self.screen = b""
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(BINARY, [BINARY, "top", "--netns", netns])
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
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


def main():
    holder = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$0" "$1" hold', sys.executable, HERE / "stuck.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)
    try:
        if holder.stdout.readline() != "ready\n":
            sys.exit("bench: the sockets can't be opened")
        terminal = Terminal("/proc/%d/ns/net" % holder.pid)
        deadline = time.monotonic() + 20
        shown = "{:,} sort age".format(int(SOCKETS)).encode()
        while shown not in terminal.screen:
            if time.monotonic() > deadline:
                sys.exit("bench: top doesn't show the sockets; run as root")
            time.sleep(0.1)
        time.sleep(2)
        print("top with %s sockets, 80x24" % SOCKETS)
        terminal.measure("nobody types", 20)
        terminal.measure("five keys a second", 10, b"\x1b[B")
        os.write(terminal.end, b"\r")
        time.sleep(1)
        terminal.measure("one connection's detail", 10)
        os.write(terminal.end, b"q")
        os.waitpid(terminal.pid, 0)
    finally:
        holder.stdin.close()
        holder.wait()


main()
