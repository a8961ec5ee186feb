# SPDX-License-Identifier: Apache-2.0
"""Sockets that wait for something, each in its own way, and of which the kernel doesn't keep since when.

`stalled.py CASE [ARGUMENT]` makes them, then prints one line for each, `port=… before=… after=…` and more, an empty line,
and holds them until its standard input ends. Times are CLOCK_MONOTONIC nanoseconds around what began the state.
"""
import os
import random
import socket
import struct
import sys
import threading
import time

kept = []
now = time.monotonic_ns


def listener(backlog=16, port=0):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(backlog)
    kept.append(made)
    return made


def connected():
    """Returns a client and the server's end of its connection."""
    made = listener()
    client = socket.create_connection(made.getsockname())
    server = made.accept()[0]
    kept.extend((client, server))
    return client, server


def probed(made):
    """A keepalive probe every second, which is as often as it gets."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


def report(made, before, after, **values):
    print("port=%d" % made.getsockname()[1], "before=%d" % before, "after=%d" % after,
          *("%s=%s" % pair for pair in values.items()))


def ages(seed):
    """Connections with all kinds of pasts, of which one end closes its side, with probes and data afterwards."""
    chance = random.Random(int(seed))
    made = []
    for _ in range(14):
        client, server = connected()
        closer, leaker = chance.choice(((client, server), (server, client)))
        probed(chance.choice((leaker, closer)))
        for _ in range(chance.choice((0, 0, 1, 2))):
            closer.sendall(b"x" * 100)
            if chance.random() < 0.7:
                leaker.recv(1000)
            if chance.random() < 0.5:
                leaker.sendall(b"y" * 100)
                closer.recv(1000)
            time.sleep(chance.choice((0, 0.02, 0.1)))
        time.sleep(chance.choice((0, 0.05, 0.15, 0.25, 0.6)))
        before = now()
        closer.shutdown(socket.SHUT_WR)
        made.append((closer, leaker, before, now()))
    for _ in range(3):
        time.sleep(1)  # the probes come
        for closer, leaker, _, _ in made:
            if chance.random() < 0.2:
                leaker.sendall(b"z")
    for closer, leaker, before, after in made:
        report(leaker, before, after, state="close_wait")
        report(closer, before, after, state="fin_wait_2")


def kept_alive(_):
    """Closed by the peer right after its request, and probed since: nothing shows when that was."""
    client, server = connected()
    probed(server)
    client.sendall(b"request")
    server.recv(100)
    before = now()
    client.shutdown(socket.SHUT_WR)
    after = now()
    server.recv(1)
    time.sleep(2.5)  # the probes come
    report(server, before, after)


def window(_):
    """One end doesn't read; the other has closed, with its FIN behind what it couldn't send."""
    client, server = connected()
    server.setblocking(False)
    try:
        while True:
            server.send(b"x" * 100000)
    except BlockingIOError:
        pass
    report(client, 0, 0, cause="not_reading")
    before = now()
    kept.remove(server)
    report(server, before, now(), cause="window_shut")
    server.close()
    time.sleep(1.2)  # the window is probed


def unread(what):
    """Closed by the peer; the process has read nothing, the payload, or all up to the end of the stream."""
    client, server = connected()
    client.sendall(b"x" * 100)
    time.sleep(0.3)
    if what != "nothing":
        server.recv(100)
    before = now()
    client.shutdown(socket.SHUT_WR)
    after = now()
    if what == "all":
        server.recv(1)
    report(server, before, after)


def crowd(count):
    """Many that one process never closes."""
    for _ in range(int(count)):
        client, server = connected()
        before = now()
        client.shutdown(socket.SHUT_WR)
        after = now()
        server.recv(1)
        report(server, before, after)


def sending(_):
    """Half-closed: what the process has written since is read slowly by the peer, of which the window is shut."""
    client, server = connected()
    before = now()
    client.shutdown(socket.SHUT_WR)
    after = now()
    server.recv(1)
    server.setblocking(False)
    try:
        while True:
            server.send(b"x" * 100000)
    except BlockingIOError:
        pass
    report(server, before, after)


def deferred(_):
    """The listener waits for data, and the client sends none."""
    made = listener()
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    before = now()
    kept.append(socket.create_connection(made.getsockname()))
    report(made, before, now())
    time.sleep(1.5)  # a timeout passes, without another SYN-ACK


def in_call(_):
    """A thread sleeps in recv() while another closes the descriptor."""
    client, server = connected()
    threading.Thread(target=server.recv, args=(1,), daemon=True).start()
    while open("/proc/self/task/%d/wchan" % threading.enumerate()[-1].native_id).read() in ("", "0"):
        time.sleep(0.01)
    number = server.fileno()
    before = now()
    report(server, before, before)
    os.close(number)


def lingering(_):
    """close() waits for the peer to take the data."""
    client, server = connected()
    server.setblocking(False)
    try:
        while True:
            server.send(b"x" * 100000)
    except BlockingIOError:
        pass
    server.setblocking(True)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    kept.remove(server)
    report(server, 0, 0)
    port = server.getsockname()[1]
    threading.Thread(target=server.close, daemon=True).start()
    while "%04X" % port not in states("04"):
        time.sleep(0.01)


def states(number):
    """Local ports of the sockets in a state, in the kernel's hexadecimal."""
    with open("/proc/self/net/tcp") as table:
        return {words[1].split(":")[1] for words in map(str.split, table) if words[3] == number}


def ports(what):
    """Ten ephemeral ports, less those that are reserved or bound; all others are used up by TIME-WAIT."""
    def setting(name, value):
        with open("/proc/sys/net/ipv4/" + name, "w") as file:
            file.write(value)

    setting("ip_local_port_range", "40000 40009")
    setting("tcp_tw_reuse", "1" if what == "reuse" else "0")
    made = listener(port=8080)
    if what == "reserved":
        setting("ip_local_reserved_ports", "40000-40007")
    if what == "bound":
        for port in range(40000, 40008):
            holder = socket.socket()
            holder.bind(("127.0.0.1", port))
            kept.append(holder)
    for _ in range(10 if what in ("all", "reuse") else 2):
        client = socket.create_connection(made.getsockname())
        server = made.accept()[0]
        client.shutdown(socket.SHUT_WR)
        server.recv(1)
        server.close()
        client.recv(1)
        client.close()
    code = 0
    if what == "reuse":
        time.sleep(2.1)  # from then on ports are reused
    if what == "some":
        time.sleep(2.8)  # longer than between the two: the load has ended
    try:
        kept.append(socket.create_connection(made.getsockname()))
    except OSError as error:
        code = error.errno
    report(made, 0, 0, errno=code)


cases = {f.__name__: f for f in (ages, crowd, kept_alive, window, unread, sending, deferred, in_call, lingering, ports)}
cases[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else None)
print(flush=True)
sys.stdin.read()
os._exit(0)
