#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures one run of `stuck` and of `ss -tanp` with many open sockets; needs root.

BENCH_SOCKETS (50000) sockets, both ends of loopback connections, are held in a network namespace of their own;
BENCH_STUCK (1000) of them are left in CLOSE-WAIT. Both tools run in that namespace, in turns, BENCH_ROUNDS (5) times, with
their output to a file. It prints the medians of wall time and CPU time (user and system, from wait4), and how many lines
each wrote. TCPSTATE_BINARY names another binary than the release build.
"""
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("TCPSTATE_BINARY", str(HERE.parent / ".build/release/tcpstate-trace"))
SOCKETS = int(os.environ.get("BENCH_SOCKETS", 50000))
STUCK = int(os.environ.get("BENCH_STUCK", 1000))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))


def hold():
    """Holds the sockets in its namespace, in as many processes as the limit of descriptors requires."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    share = min(SOCKETS // 2, (limit - 100) // 2)
    left, stuck = SOCKETS // 2, STUCK
    while left > 0:
        connections = min(share, left)
        read, write = os.pipe()
        if os.fork() == 0:
            hold_share(connections, min(stuck, connections), write)
        os.read(read, 1)
        left -= connections
        stuck -= min(stuck, connections)
    print("ready", flush=True)
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)


def hold_share(connections, stuck, ready):
    held, listeners = [], []
    for connection in range(connections):
        if connection % 10000 == 0:  # more connections than a listener has client ports
            listeners.append(socket.create_server(("127.0.0.1", 0), backlog=128))
        client = socket.socket()
        client.connect(listeners[-1].getsockname())
        held += [client, listeners[-1].accept()[0]]
    for client in held[:2 * stuck:2]:
        client.shutdown(socket.SHUT_WR)
    os.write(ready, b"x")
    signal.pause()


def run(command, pid):
    with tempfile.TemporaryFile() as out:
        start = time.monotonic()
        child = subprocess.Popen(["nsenter", "--net=/proc/%d/ns/net" % pid, "--"] + command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        out.seek(0)
        lines = out.read().count(b"\n")
    return wall, usage.ru_utime + usage.ru_stime, lines, os.waitstatus_to_exitcode(status)


def main():
    if sys.argv[1:] == ["hold"]:
        return hold()
    holder = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$0" "$1" hold', sys.executable, __file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)
    try:
        if holder.stdout.readline() != "ready\n":
            sys.exit("bench: the sockets can't be opened")
        tools = {
            "stuck": [BINARY, "stuck", "--older-than", "0s", "--format", "csv"],
            "stuck, every ESTABLISHED": [
                BINARY, "stuck", "--older-than", "0s", "--format", "csv", "--state", "established"],
            "ss -tanp": ["ss", "-tanp"],
        }
        results = {name: [] for name in tools}
        for _ in range(ROUNDS):
            for name, command in tools.items():
                results[name].append(run(command, holder.pid))
        print("%d sockets, %d of them in CLOSE-WAIT, medians of %d rounds" % (SOCKETS, STUCK, ROUNDS))
        print("%-26s %8s %8s %8s" % ("", "wall s", "CPU s", "lines"))
        for name, rounds in results.items():
            print("%-26s %8.3f %8.3f %8d" % (
                name, statistics.median(r[0] for r in rounds), statistics.median(r[1] for r in rounds), rounds[0][2]))
    finally:
        holder.stdin.close()
        holder.wait()


main()
