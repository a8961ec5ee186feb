# SPDX-License-Identifier: Apache-2.0
"""Connections and listeners that are held until standard input ends; each mode prints "ready" once they are there.

    sockets.py mix                  ends of all kinds, and some connections that stay
    sockets.py hold N L             N connections between L listeners and clients
    sockets.py processes N          N processes, each with a connection whose peer has closed
"""
import ctypes
import os
import resource
import socket
import struct
import sys


def listen(address=("127.0.0.1", 0), backlog=128):
    listener = socket.socket()
    listener.bind(address)
    listener.listen(backlog)
    return listener


def pair(listener):
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]


def reset(end):
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def mix():
    listener, kept = listen(), []
    for number in range(60):
        client, server = pair(listener)
        if number % 6 == 0:  # an orderly end, by either side
            for end in (client, server) if number % 12 else (server, client):
                end.close()
        elif number % 6 == 1:
            reset(client)
            server.close()
        elif number % 6 == 2:  # half-closed: FIN-WAIT-2 and CLOSE-WAIT
            client.shutdown(socket.SHUT_WR)
            kept += [client, server]
        elif number % 6 == 3:
            reset(server)
            client.close()
        else:
            kept += [client, server]
    for _ in range(7):
        with socket.socket() as refused:
            refused.connect_ex(("127.0.0.1", 1))
    closed = listen()
    kept.append(socket.create_connection(closed.getsockname()))
    closed.close()  # one that is never accepted
    return kept + [listener]


def hold(connections, listeners):
    """By several processes, none of which may have that many descriptors; each opens its share."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100
    count = (2 * connections + listeners) // limit + 1
    ready, done = os.pipe(), os.pipe()
    for process in range(count):
        if os.fork() == 0:
            os.close(done[1])
            # Several addresses, because one pair of them has only 28,000 ports.
            own = [listen((f"127.0.{number % 40 + 1}.1", 20000 + number)) for number in range(process, listeners, count)]
            kept = [pair(own[number % len(own)]) for number in range(process, connections, count)]
            os.write(ready[1], b".")
            os.read(done[0], 1)
            os._exit(len(kept) == 0)
    os.close(done[0])
    for _ in range(count):
        os.read(ready[0], 1)
    return done


def processes(count):
    """Children with names of their own, which a fork gives them before they have anything else."""
    libc = ctypes.CDLL(None)
    listener, children = listen(backlog=1024), []
    ready, done = os.pipe(), os.pipe()
    for number in range(count):
        client, server = pair(listener)
        pid = os.fork()
        if pid == 0:
            libc.prctl(15, f"p{number}\x1b\"\\".encode(), 0, 0, 0)  # PR_SET_NAME
            client.close()
            os.close(done[1])
            os.write(ready[1], b".")
            os.read(done[0], 1)
            os._exit(0)
        children.append(pid)
        server.close()
        client.close()
        os.read(ready[0], 1)
    os.close(done[0])
    return done, children


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    mode, numbers = sys.argv[1], list(map(int, sys.argv[2:]))
    kept = {"mix": mix, "hold": hold, "processes": processes}[mode](*numbers)
    print("ready", flush=True)
    sys.stdin.read()
    if mode == "processes":
        os.close(kept[0][1])
        for pid in kept[1]:
            os.waitpid(pid, 0)


main()
