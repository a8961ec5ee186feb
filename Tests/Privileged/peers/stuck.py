# SPDX-License-Identifier: Apache-2.0
"""Sockets that get stuck, each through a mistake that programs really make.

`stuck.py CASE [ADDRESS]` makes one, then prints `port=… fd=… pids=…` and more
on one line and holds it until its standard input ends.
"""
import array
import os
import signal
import socket
import sys
import time


def listener(address, backlog=16):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.bind((address, 0))
    made.listen(backlog)
    return made


def connected(address):
    """Returns a client, the server's end of its connection, and the listener."""
    made = listener(address)
    client = socket.socket(made.family, socket.SOCK_STREAM)
    client.connect(made.getsockname()[:2])
    return client, made.accept()[0], made


def report(**values):
    print(*("%s=%s" % pair for pair in values.items()), flush=True)
    sys.stdin.read()


def child(body):
    """Starts a process that keeps its descriptors until this one ends; it is ready when this returns."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(read)
        body()
        os.write(write, b"x")
        while True:
            signal.pause()
    os.close(write)
    os.read(read, 1)
    return pid


def held(address):
    """A server that never closes, with 600 bytes it hasn't read."""
    client, server, _ = connected(address)
    client.sendall(b"x" * 600)
    before = time.monotonic_ns()
    client.close()
    report(port=server.getsockname()[1], peer=server.getpeername()[1], fd=server.fileno(), pids=os.getpid(),
           before=before, after=time.monotonic_ns())


def unaccepted(address):
    """A server that never accepts; its clients have come and gone."""
    made = listener(address)
    clients = []
    for _ in range(3):
        client = socket.socket(made.family, socket.SOCK_STREAM)
        client.connect(made.getsockname()[:2])
        client.sendall(b"hello")
        clients.append(client)
    before = time.monotonic_ns()
    for client in clients:
        client.close()
    report(port=made.getsockname()[1], fd=made.fileno(), pids=os.getpid(), before=before, after=time.monotonic_ns())


def report_forked(server, pid, before):
    report(port=server.getsockname()[1], fd=server.fileno(), pids="%d,%d" % (os.getpid(), pid),
           before=before, after=time.monotonic_ns())
    os.kill(pid, signal.SIGKILL)


def fork_shared(address):
    """Two processes have the descriptor."""
    client, server, _ = connected(address)
    pid = child(client.close)
    before = time.monotonic_ns()
    client.close()
    report_forked(server, pid, before)


def passed(address):
    """The descriptor goes to another process with SCM_RIGHTS, and this process closes its own."""
    client, server, _ = connected(address)
    port, number = server.getsockname()[1], server.fileno()
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def receive():
        client.close()
        server.close()
        here.close()
        data = there.recvmsg(1, socket.CMSG_SPACE(4))[1][0][2]
        descriptor = array.array("i", data)[0]
        os.dup2(descriptor, 77)
        os.close(descriptor)

    here.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [number]))])
    pid = child(receive)
    server.close()
    there.close()
    before = time.monotonic_ns()
    client.close()
    report(port=port, fd=77, pids=pid, before=before, after=time.monotonic_ns())
    os.kill(pid, signal.SIGKILL)


def orphan(address):
    """Closed here and acknowledged, but the peer doesn't close: FIN-WAIT-2 without a process."""
    client, server, _ = connected(address)
    peer = server.getsockname()[1]
    port = client.getsockname()[1]
    before = time.monotonic_ns()
    client.close()
    report(port=port, peer=peer, fd="", pids="", before=before, after=time.monotonic_ns())


def main():
    cases = {f.__name__: f for f in (held, unaccepted, fork_shared, passed, orphan)}
    cases[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1")


main()
