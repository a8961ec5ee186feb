# SPDX-License-Identifier: Apache-2.0
"""Holds TCP sockets and acts on them: one command per line on standard input, one answer per line.

An answer has the command's values, and `before` and `after`, the CLOCK_MONOTONIC nanoseconds around it: the truth that a
test compares with.
"""
import ctypes
import errno
import os
import random
import resource
import select
import socket
import struct
import subprocess
import sys
import time

sockets = {}
crowd = []
now = time.monotonic_ns


protocol = 0


def make(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, protocol)
    made.settimeout(15)
    return made


def mptcp():
    """Makes the sockets that come MPTCP's."""
    global protocol
    protocol = 262
    return {}


def subflow(address):
    """Lets MPTCP connections of this namespace use another local address, too (ip-mptcp(8))."""
    for words in ("limits set subflow 4 add_addr_accepted 4", "endpoint add %s dev lo subflow" % address):
        if subprocess.run(["ip", "mptcp"] + words.split(), capture_output=True).returncode != 0:
            raise OSError(errno.EOPNOTSUPP, words)
    return {}


def identity():
    """This process's id in its own PID namespace."""
    return {"pid": os.getpid()}


def ping():
    return {}


def listen(name, address, port="0", backlog="128"):
    made = make(address)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind((address, int(port)))
    made.listen(int(backlog))
    sockets[name] = made
    return {"port": made.getsockname()[1]}


def connect(name, address, port, local=None):
    made = make(address)
    if local:
        host, _, number = local.rpartition("/")
        made.bind((host, int(number)))
    sockets[name] = made
    made.connect((address, int(port)))
    return {"port": made.getsockname()[1]}


def accept(listener, name):
    sockets[name] = sockets[listener].accept()[0]
    sockets[name].settimeout(15)
    return {"port": sockets[name].getpeername()[1]}


def send(name, count):
    sockets[name].sendall(b"x" * int(count))
    return {}


def receive(name, count):
    left = int(count)
    while left:
        data = sockets[name].recv(left)
        if not data:
            raise ConnectionResetError(errno.ECONNRESET, "eof")
        left -= len(data)
    return {}


def eof(name):
    while sockets[name].recv(65536):
        pass
    return {}


def shutdown(name):
    sockets[name].shutdown(socket.SHUT_WR)
    return {}


def close(name):
    sockets.pop(name).close()
    return {}


def reset(name):
    sockets[name].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return close(name)


def comm(hexadecimal):
    ctypes.CDLL(None).prctl(15, bytes.fromhex(hexadecimal) + b"\0", 0, 0, 0)
    return {}


def has_next():
    """Whether the next command has come."""
    return bool(select.select([0], [], [], 0)[0])


def churn(address, count, seconds="0"):
    """Makes connections one after the other, with both ends here; the client closes first: 10 transitions each.

    With the count `until-next` it goes on until the next command comes, at most a thousand per second.
    """
    end = time.monotonic() + float(seconds)
    goes_on = count == "until-next"
    wanted = 0 if goes_on else int(count)
    listener = make(address)
    listener.bind((address, 0))
    listener.listen(8)
    made = 0
    while made < wanted or time.monotonic() < end or (goes_on and not has_next()):
        time.sleep(0.001 if goes_on else 0)
        client = make(address)
        client.connect(listener.getsockname()[:2])
        server = listener.accept()[0]
        # Not close(): an orphan in FIN-WAIT-2 becomes a minisock at once and goes on silently.
        client.shutdown(socket.SHUT_WR)
        server.recv(1)
        server.close()
        client.recv(1)
        client.close()
        made += 1
    port = listener.getsockname()[1]
    sockets["churn"] = listener
    settle(port)
    return {"made": made, "port": port}


def settle(port):
    """Waits until the port has no connections left except in TIME-WAIT."""
    text = ":%04X" % int(port)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        busy = False
        for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
            with open(table) as lines:
                for line in list(lines)[1:]:
                    words = line.split()
                    if text in (words[1][-5:], words[2][-5:]) and words[3] not in ("06", "0A"):
                        busy = True
        if not busy:
            return {}
        time.sleep(0.001)  # the kernel's threads may need the CPU to finish
    raise TimeoutError(errno.ETIMEDOUT, "connections stay")


def descriptors(count):
    hard = max(int(count), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return {}


def crowd_connect(address, port, count):
    for _ in range(int(count)):
        made = make(address)
        before = now()
        made.connect((address, int(port)))
        crowd.append((made, "%d-%s" % (made.getsockname()[1], port), before, now()))
    return {}


def crowd_accept(listener, count):
    for _ in range(int(count)):
        crowd.append((sockets[listener].accept()[0], "", 0, 0))
    return {}


def crowd_close(seed, path=None):
    """Closes the crowd in random order; writes the truth of each: ports, shortest and longest possible stay."""
    random.Random(int(seed)).shuffle(crowd)
    truth = []
    for made, ports, connecting, connected in crowd:
        before = now()
        made.close()
        truth.append("%s %d %d\n" % (ports, before - connected, now() - connecting))
    crowd.clear()
    if path:
        with open(path, "w") as out:
            out.writelines(truth)
    return {}


def enter(path):
    """Enters another network namespace; the sockets stay where they are."""
    with open(path) as there:
        if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), path)
    return {}


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def flood(address, port, source, count):
    """Sends SYNs made by hand, each from the next address after `source`; nothing answers the SYN-ACKs."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    first, = struct.unpack("!I", socket.inet_aton(source))
    for number in range(int(count)):
        ends = struct.pack("!I", first + number) + socket.inet_aton(address)
        tcp = [1024 + number % 60000, int(port), 1000 + number, 0, 5 << 4, 2, 65535, 0, 0]
        tcp[7] = checksum(ends + struct.pack("!BBH", 0, 6, 20) + struct.pack("!HHIIBBHHH", *tcp))
        # The kernel fills in the length and the checksum of this header.
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, 6, 0) + ends
        raw.sendto(ip + struct.pack("!HHIIBBHHH", *tcp), (address, 0))
    return {}


def requests(port, count):
    """Waits until there are that many half-open requests; returns the smallest number of their timeouts."""
    text = ":%04X" % int(port)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with open("/proc/self/net/tcp") as lines:
            words = [line.split() for line in list(lines)[1:]]
        found = [int(word[6], 16) for word in words if word[1].endswith(text) and word[3] == "03"]
        if len(found) == int(count):
            return {"timeouts": min(found, default=0)}
        time.sleep(0.01)
    raise TimeoutError(errno.ETIMEDOUT, "%d half-open requests" % len(found))


def main():
    commands = {f.__name__: f for f in (
        ping, identity, mptcp, subflow, listen, connect, accept, send, receive, eof, shutdown, close, reset, comm, churn, settle,
        descriptors, crowd_connect, crowd_accept, crowd_close, enter, flood, requests)}
    for line in sys.stdin:
        words = line.split()
        before = now()
        try:
            answer = commands[words[0]](*words[1:])
        except OSError as failure:
            answer = {"error": errno.errorcode.get(failure.errno, type(failure).__name__)}
        after = now()
        answer.update(before=before, after=after)
        print(*("%s=%s" % pair for pair in answer.items()), flush=True)


main()
