# SPDX-License-Identifier: Apache-2.0
"""Connections on the loopback: one is open before "ready" is printed, the others follow a line on standard input."""
import socket
import sys

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)


def pair():
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]


client, before = pair()
client.close()  # the other end is in CLOSE-WAIT from here on
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    client, server = pair()
    client.close()
    assert not server.recv(1)
    server.close()
kept = pair()
print("done", flush=True)
sys.stdin.readline()
