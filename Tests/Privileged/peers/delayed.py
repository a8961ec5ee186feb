# SPDX-License-Identifier: Apache-2.0
"""A connection whose packets are delayed by a known time, each way.

usage: delayed.py CLIENT_NETNS SERVER_NETNS MILLISECONDS

Connects the two namespaces with a pair of TUN devices, 10.8.0.1 and 10.8.0.2, and carries the packets between them. Prints
the server's time in SYN-RECEIVED in nanoseconds, from when its SYN-ACK leaves to when the client's ACK arrives: the shortest
and the longest possible time, as seen on this wire.
"""

import ctypes
import fcntl
import heapq
import os
import select
import socket
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000
FIN, SYN, ACK = 1, 2, 16
libc = ctypes.CDLL(None, use_errno=True)


def enter(netns):
    with open(netns) as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), netns)


def tun(netns, address, peer):
    enter(netns)
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"held", IFF_TUN | IFF_NO_PI))
    for words in (f"address add {address} peer {peer} dev held", "link set held up"):
        subprocess.run(["ip"] + words.split(), check=True)
    return device


def serve():
    """Starts a child that accepts one connection; it writes the time to a pipe, whose other end is returned, too."""
    listener = socket.create_server(("10.8.0.2", 8000))
    ours, theirs = os.pipe()
    return os.fork() or serve_one(listener, theirs), ours


def serve_one(listener, pipe):
    server, _ = listener.accept()
    os.write(pipe, b"%d" % time.monotonic_ns())
    server.recv(1)
    os._exit(0)


def connect():
    child = os.fork()
    if child == 0:
        socket.create_connection(("10.8.0.2", 8000), timeout=10).close()
        os._exit(0)
    return child


def carry(client, server, delay, children):
    """Returns when the SYN reached the server, when its SYN-ACK was read, and when the ACK was passed on."""
    held, times, order = [], {}, 0
    end = time.monotonic() + 15
    while children and time.monotonic() < end:
        wait = max(0, held[0][0] - time.monotonic()) if held else 0.05
        for device in select.select([client, server], [], [], wait)[0]:
            packet = os.read(device, 65536)
            order += 1
            heapq.heappush(held, (time.monotonic() + delay, order, server if device == client else client, packet))
            if device == server and flags(packet) == SYN | ACK:
                times.setdefault("syn_ack", time.monotonic_ns())
        while held and held[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(held)
            if device == server:
                kind = {SYN: "syn", ACK: "ack"}.get(flags(packet) & (SYN | ACK))
                times.setdefault(kind, time.monotonic_ns())
            os.write(device, packet)
        children = [child for child in children if os.waitpid(child, os.WNOHANG)[0] == 0]
    return times


def flags(packet):
    """TCP's flags; 0 for anything except TCP over IPv4."""
    if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
        return 0
    return packet[(packet[0] & 15) * 4 + 13]


def main():
    client_netns, server_netns, milliseconds = sys.argv[1:]
    server = tun(server_netns, "10.8.0.2", "10.8.0.1")
    server_child, accepted = serve()
    client = tun(client_netns, "10.8.0.1", "10.8.0.2")
    times = carry(client, server, int(milliseconds) / 1000, [server_child, connect()])
    print(times["ack"] - times["syn_ack"], int(os.read(accepted, 32)) - times["syn"])


main()
