#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows what tcpstate-trace, tcpstates, tcplife and ss report of the same connections; docs/comparison.md quotes it.

    python3 bench/comparison.py       as root; prints each tool's output

Needs iproute2, libbpf-tools, nftables, and a build of tcpstate-trace; TCPSTATE_BINARY names another binary.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from consumers import BINARY, with_tracefs
from harness import namespace

PORT = 18443
DROP = ("add table inet t; add chain inet t i {{ type filter hook input priority 0; }}; "
        "add rule inet t i tcp dport {} tcp flags & (syn|ack) == ack drop")


def lives():
    """The connections; says when the first is there, waits for a line, and says what each of the others is."""
    listener = socket.create_server(("127.0.0.1", PORT))

    def pair():
        client = socket.create_connection(("127.0.0.1", PORT))
        return client, listener.accept()[0]

    client, old = pair()
    client.close()
    print("ready", flush=True)
    sys.stdin.readline()
    client, server = pair()
    print("(a) the server closes 2 s after the client:", client.getsockname()[1])
    client.close()
    time.sleep(2)
    server.close()
    try:
        socket.create_connection(("127.0.0.1", 9))
    except ConnectionRefusedError:
        print("(b) refused")
    client, server = pair()
    print("(c) reset:", client.getsockname()[1])
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    time.sleep(0.1)
    server.close()
    subprocess.run(["nft", DROP.format(PORT)], check=True)
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", PORT))
    time.sleep(2.2)
    subprocess.run(["nft", "delete table inet t"], check=True)
    server, _ = listener.accept()
    print("(d) half-open until the second SYN-ACK:", client.getsockname()[1])
    server.close()
    client.close()
    print("(e) the old connection:", old.getpeername()[1], flush=True)
    old.close()
    time.sleep(1)


def main():
    if sys.argv[1:] == ["lives"]:
        return lives()
    with namespace() as net, tempfile.TemporaryDirectory() as folder:
        inside = ["nsenter", f"--net={net}", "--"]
        made = subprocess.Popen([*inside, sys.executable, __file__, "lives"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        made.stdout.readline()
        tools = {
            "tcpstate-trace": [BINARY, "--netns", net],
            "tcpstates -T -w": with_tracefs(["stdbuf", "-oL", "tcpstates", "-T", "-w"]),
            "tcplife -T -w": with_tracefs(["stdbuf", "-oL", "tcplife", "-T", "-w"]),
        }
        tools = {name: subprocess.Popen(command, stdout=open(os.path.join(folder, name), "wb"))
                 for name, command in tools.items()}
        time.sleep(2)
        ss = [*inside, "ss", "-tanpoi"]
        before = subprocess.run(ss, capture_output=True, text=True, check=True).stdout
        said, _ = made.communicate("\n")
        after = subprocess.run(ss, capture_output=True, text=True, check=True).stdout
        for tool in tools.values():
            tool.send_signal(signal.SIGINT)
            tool.wait()
        print(said)
        for name in tools:
            text = Path(folder, name).read_text(errors="replace")
            mine = (str(PORT), f" {made.pid} ", f"/{made.pid} ", "TIME")
            print(f"== {name}", *(line for line in text.splitlines() if any(word in line for word in mine)), "", sep="\n")
        print(f"== ss -tanpoi, before\n{before}\n== ss -tanpoi, after\n{after}")


main()
