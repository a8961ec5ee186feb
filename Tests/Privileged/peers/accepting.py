# SPDX-License-Identifier: Apache-2.0
"""Listens, and lets other processes serve: accepting.py HOW [ADDRESS]

Prints the port and the listener's PID; then, for each connection, the peer's port and the PID of the process that has it.
Ends with standard input. HOW:

  holds      a worker accepts and never reads
  reads      a worker accepts, reads once and goes on holding
  closes     a worker accepts and closes at once, without reading
  unread     a worker accepts, waits for data and closes without reading it
  forks      the listener accepts, and forks a child for each connection
  passes     the listener accepts, and passes each connection to a worker (SCM_RIGHTS)
  shares     two workers listen on the same port (SO_REUSEPORT); neither reads
  threads    a thread of the listener's process accepts
"""
import os
import select
import socket
import sys
import threading

how = sys.argv[1]
address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kept = []


def listen(port=0):
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if how == "shares":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind((address, port))
    made.listen(1024)
    return made


def report(connection):
    os.write(1, b"%d %d\n" % (connection.getpeername()[1], os.getpid()))


def serve(listener):
    while True:
        connection, _ = listener.accept()
        report(connection)
        if how == "reads":
            connection.recv(100)
        if how == "unread":
            select.select([connection], [], [])
        if how in ("closes", "unread"):
            connection.close()
        else:
            kept.append(connection)


def fork(body, *arguments):
    child = os.fork()
    if child == 0:
        try:
            body(*arguments)
        finally:
            os._exit(0)
    return child


def take(channel):
    while True:
        connection = socket.socket(fileno=socket.recv_fds(channel, 1, 1)[1][0])
        report(connection)
        kept.append(connection)


def fork_each(listener):
    def hold(connection):
        listener.close()
        report(connection)
        threading.Event().wait()

    while True:
        connection, _ = listener.accept()
        children.append(fork(hold, connection))
        connection.close()


def pass_each(listener, channel):
    while True:
        connection, _ = listener.accept()
        socket.send_fds(channel, [b"x"], [connection.fileno()])
        connection.close()


children = []
if how == "shares":
    reserved = socket.socket(family)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind((address, 0))
    port = reserved.getsockname()[1]
    ready = os.pipe()

    def worker():
        listener = listen(port)
        os.write(ready[1], b"x")
        serve(listener)

    children = [fork(worker), fork(worker)]
    for _ in children:
        os.read(ready[0], 1)
else:
    listener = listen()
    port = listener.getsockname()[1]
print(port, os.getpid(), flush=True)
if how in ("holds", "reads", "closes", "unread"):
    children = [fork(serve, listener)]
elif how == "forks":
    threading.Thread(target=fork_each, args=(listener,), daemon=True).start()
elif how == "passes":
    ours, theirs = socket.socketpair()
    children = [fork(take, theirs)]
    threading.Thread(target=pass_each, args=(listener, ours), daemon=True).start()
elif how == "threads":
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
sys.stdin.read()
for child in children:
    os.kill(child, 9)
