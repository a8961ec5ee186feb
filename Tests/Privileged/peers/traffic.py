# SPDX-License-Identifier: Apache-2.0
"""Makes the connections that docs/analysis.md asks about, in this network namespace; prints their ports.

Leaks three sockets in CLOSE-WAIT under a name that a spreadsheet would run, closes slowly towards one address and fast
towards another, is refused, and leaves TIME-WAIT behind.
"""
import ctypes
import json
import socket
import time

NAME = b"=1+1"
LEAKS, SLOW, FAST, REFUSED = 3, 4, 20, 5
SLOW_SECONDS = 0.25


def listener(address):
    made = socket.socket()
    made.bind((address, 0))
    made.listen(64)
    return made


def pair(server):
    client = socket.create_connection(server.getsockname())
    return client, server.accept()[0]


def close(first, second, seconds=0.0):
    """Closes as in the textbook; the second end waits."""
    first.shutdown(socket.SHUT_WR)
    while second.recv(100):
        pass
    time.sleep(seconds)
    second.close()
    while first.recv(100):
        pass
    first.close()


def main():
    ctypes.CDLL(None).prctl(15, NAME + b"\0", 0, 0, 0)
    fast, slow, leaky = listener("127.0.0.2"), listener("127.0.0.3"), listener("127.0.0.4")
    kept = []
    for _ in range(LEAKS):
        client, server = pair(leaky)
        client.close()
        while server.recv(100):
            pass
        kept.append(server)
    for _ in range(FAST):
        close(*pair(fast))
    for _ in range(SLOW):
        close(*pair(slow), SLOW_SECONDS)
    port = listener("127.0.0.5").getsockname()[1]  # closed at once, so nothing listens
    for _ in range(REFUSED):
        try:
            socket.create_connection(("127.0.0.5", port))
        except ConnectionRefusedError:
            pass
    print(json.dumps({"fast": fast.getsockname()[1], "slow": slow.getsockname()[1], "refused": port}), flush=True)
    input()  # keeps the leaked sockets until the recording is over


main()
