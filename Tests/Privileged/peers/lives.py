# SPDX-License-Identifier: Apache-2.0
"""Every way a TCP connection lives and dies, on the real kernel, in this network namespace.

usage: lives.py NAME...   Prints "NAME PORT..." before each: the ports that identify its sockets.

Each step waits for the state that it needs (TCP_INFO, /proc/net/tcp), not for time.
"""

import ctypes
import itertools
import os
import socket
import struct
import subprocess
import sys
import threading
import time

ESTABLISHED, SYN_SENT, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK = 1, 2, 4, 5, 6, 7, 8, 9
TCP_SYNCNT, TCP_USER_TIMEOUT, TCP_FASTOPEN, CLOCK_MONOTONIC_COARSE = 7, 18, 23, 6
TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT = 4, 5, 6


def until(condition, what):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.001)


def state(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def reach(sock, wanted):
    until(lambda: state(sock) == wanted, f"state {wanted}, is {state(sock)}")


def in_table(local, peer):
    """The state of a socket, found by its ports, also of minisocks and orphans; None if there is none."""
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as table:
            for line in list(table)[1:]:
                words = line.split()
                if words[1].endswith(f":{local:04X}") and words[2].endswith(f":{peer:04X}"):
                    return int(words[3], 16)
    return None


def sysctl(name, value):
    with open(f"/proc/sys/net/ipv4/{name}", "r+") as file:
        old = file.read().strip()
        file.seek(0)
        file.write(str(value))
    return old


class Drop:
    """Drops incoming packets that match one of the rules, while the context lasts."""

    def __init__(self, *rules):
        self.rules = rules

    def __enter__(self):
        text = "".join(f"{rule} drop\n" for rule in self.rules)
        self.nft("table inet lives {\nchain input {\ntype filter hook input priority 0\n" + text + "}\n}\n")
        return self

    def __exit__(self, *_):
        self.nft("delete table inet lives\n")

    @staticmethod
    def nft(text):
        subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)


# Below the ephemeral ones, so that no port is used twice and each identifies one life.
ports = itertools.count(20000)


class Life:
    def __init__(self, name, family=socket.AF_INET, address="127.0.0.1", backlog=8):
        self.family = family
        self.listener = socket.socket(family)
        self.listener.bind((address, next(ports)))
        self.listener.listen(backlog)
        self.port = self.listener.getsockname()[1]
        self.address = self.listener.getsockname()[:2]
        print(name, self.port, flush=True)

    def socket(self):
        return socket.socket(self.family)

    def pair(self, client=None):
        client = client or self.socket()
        client.connect(self.address)
        self.client_port = client.getsockname()[1]
        server, _ = self.listener.accept()
        return client, server


def linger0(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close_first(life, first, second):
    first.shutdown(socket.SHUT_WR)
    reach(second, CLOSE_WAIT)
    reach(first, FIN_WAIT2)
    second.close()
    until(lambda: state(first) == CLOSE, "CLOSE after TIME-WAIT began")
    first.close()


def client_closes_first(life):
    client, server = life.pair()
    close_first(life, client, server)


def server_closes_first(life):
    client, server = life.pair()
    close_first(life, server, client)


def orphan_fin_wait_2(life):
    client, server = life.pair()
    client.close()
    until(lambda: in_table(life.client_port, life.port) == FIN_WAIT2, "FIN-WAIT-2")
    server.close()
    until(lambda: in_table(life.client_port, life.port) == TIME_WAIT, "TIME-WAIT")


def closed_in_fin_wait_2(life):
    client, server = life.pair()
    client.shutdown(socket.SHUT_WR)
    reach(client, FIN_WAIT2)
    client.close()
    server.close()
    until(lambda: in_table(life.client_port, life.port) == TIME_WAIT, "TIME-WAIT")


def linger_0(life):
    client, server = life.pair()
    linger0(client)
    client.close()
    reach(server, CLOSE)


def unread_data(life):
    client, server = life.pair()
    server.send(b"abc")
    client.recv(1, socket.MSG_PEEK)
    client.close()
    reach(server, CLOSE)


def disconnect(life):
    client, server = life.pair()
    unspecified = ctypes.create_string_buffer(16)  # AF_UNSPEC
    assert ctypes.CDLL(None).connect(client.fileno(), unspecified, 16) == 0
    reach(server, CLOSE)


def reset_in_fin_wait_1(life):
    client, server = life.pair()
    with Drop(f"tcp sport {life.port} tcp flags & rst == 0"):
        client.shutdown(socket.SHUT_WR)
        reach(server, CLOSE_WAIT)
        linger0(server)
        server.close()
        reach(client, CLOSE)


def reset_in_fin_wait_2(life):
    client, server = life.pair()
    client.shutdown(socket.SHUT_WR)
    reach(client, FIN_WAIT2)
    linger0(server)
    server.close()
    reach(client, CLOSE)


def reset_in_close_wait(life):
    client, server = life.pair()
    client.shutdown(socket.SHUT_WR)
    reach(client, FIN_WAIT2)
    reach(server, CLOSE_WAIT)
    linger0(client)
    client.close()
    reach(server, CLOSE)


def reset_in_last_ack(life):
    client, server = life.pair()
    client.shutdown(socket.SHUT_WR)
    reach(client, FIN_WAIT2)
    with Drop(f"tcp sport {life.port} tcp flags & fin == fin"):
        server.shutdown(socket.SHUT_WR)
        reach(server, LAST_ACK)
        linger0(client)
        client.close()
        reach(server, CLOSE)


def data_for_an_orphan(life):
    client, server = life.pair()
    client.close()
    until(lambda: in_table(life.client_port, life.port) == FIN_WAIT2, "FIN-WAIT-2")
    server.send(b"x")
    reach(server, CLOSE)


def refused(life):
    client = life.socket()
    life.listener.close()
    assert client.connect_ex(life.address) != 0


def connect_timeout(life):
    client = life.socket()
    client.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
    with Drop(f"tcp dport {life.port}"):
        assert client.connect_ex(life.address) != 0


def user_timeout(life):
    client, server = life.pair()
    client.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 500)
    with Drop(f"tcp sport {life.port}"):
        client.send(b"x")
        reach(client, CLOSE)
    linger0(server)


def keep_alive(life):
    client, server = life.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT):
        client.setsockopt(socket.IPPROTO_TCP, option, 1)
    with Drop(f"tcp sport {life.port}"):
        reach(client, CLOSE)
    reach(server, CLOSE)


def unacknowledged_orphan(life):
    retries = sysctl("tcp_orphan_retries", 1)
    client, server = life.pair()
    with Drop(f"tcp sport {life.port}", f"tcp dport {life.port}"):
        client.close()
        until(lambda: in_table(life.client_port, life.port) is None, "the orphan's end")
        linger0(server)
        server.close()
    sysctl("tcp_orphan_retries", retries)


def at_once(*calls):
    """Makes the calls within one tick of the kernel's clock, so that timers which they start end in the same tick, too."""
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    tick = time.clock_gettime(CLOCK_MONOTONIC_COARSE)
    while time.clock_gettime(CLOCK_MONOTONIC_COARSE) == tick:
        pass
    [call() for call in calls]
    os.sched_setscheduler(0, policy, priority)


def simultaneous_close(life):
    client, server = life.pair()
    with Drop(f"tcp sport {life.port} tcp flags & fin == fin", f"tcp dport {life.port} tcp flags & fin == fin"):
        at_once(lambda: client.shutdown(socket.SHUT_WR), lambda: server.shutdown(socket.SHUT_WR))  # and their next FINs
    reach(client, CLOSE)
    reach(server, CLOSE)


def self_connect(life):
    client = life.socket()
    client.bind(("127.0.0.1", next(ports)))
    print("self_connect", client.getsockname()[1], flush=True)
    client.connect(client.getsockname())
    client.shutdown(socket.SHUT_WR)
    reach(client, CLOSE)


def fin_with_ack(life):
    client, server = life.pair()
    answered = threading.Thread(target=lambda: (server.recv(1), server.close()))
    answered.start()
    client.shutdown(socket.SHUT_WR)
    answered.join()
    reach(client, CLOSE)


def never_accepted(life):
    client = life.socket()
    client.connect(life.address)
    until(lambda: in_table(life.port, client.getsockname()[1]) == ESTABLISHED, "ESTABLISHED")
    life.listener.close()
    reach(client, CLOSE)


def never_accepted_and_left(life):
    client = life.socket()
    client.connect(life.address)
    port = client.getsockname()[1]
    client.shutdown(socket.SHUT_WR)
    until(lambda: in_table(life.port, port) == CLOSE_WAIT, "CLOSE-WAIT")
    reach(client, FIN_WAIT2)
    life.listener.close()
    reach(client, CLOSE)


def backlog_overflow(life):
    life.listener.listen(0)
    first = life.socket()
    first.connect(life.address)
    second = life.socket()
    second.setblocking(False)
    second.connect_ex(life.address)
    reach(second, SYN_SENT)
    second.close()
    linger0(first)
    first.close()


def killed(life):
    client, server = life.pair()
    subprocess.run(["ss", "-K", "dport", "=", f":{life.port}"], check=True, stdout=subprocess.DEVNULL)
    reach(server, CLOSE)


def fast_open(life):
    old = sysctl("tcp_fastopen", 3)
    life.listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 8)
    for _ in range(2):  # the first fetches the cookie, the second uses it
        client = life.socket()
        client.sendto(b"hello", socket.MSG_FASTOPEN, life.address)
        server, _ = life.listener.accept()
        server.recv(5)
        close_first(life, client, server)
    sysctl("tcp_fastopen", old)


def syn_cookie(life):
    old = sysctl("tcp_syncookies", 2)
    client, server = life.pair()
    close_first(life, client, server)
    sysctl("tcp_syncookies", old)


def half_open(life):
    client = life.socket()
    client.setblocking(False)
    with Drop(f"tcp dport {life.port} tcp flags & (syn|ack) == ack"):
        client.connect_ex(life.address)
        reach(client, ESTABLISHED)
        time.sleep(2)  # the SYN-ACK's first retransmission is at 1 s, the second at 3 s
    server, _ = life.listener.accept()
    close_first(life, client, server)


def half_open_for_good(life):
    retries = sysctl("tcp_synack_retries", 1)
    client = life.socket()
    client.setblocking(False)
    client.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
    with Drop(f"tcp sport {life.port} tcp flags & (syn|ack) == (syn|ack)"):
        client.connect_ex(life.address)
        port = client.getsockname()[1]
        until(lambda: in_table(life.port, port) is not None, "the request")
        until(lambda: in_table(life.port, port) is None, "the request's end")
        reach(client, CLOSE)
    sysctl("tcp_synack_retries", retries)


def reused(life):
    client = life.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(("127.0.0.1", next(ports)))
    port = client.getsockname()[1]
    _, server = life.pair(client)
    close_first(life, client, server)
    time.sleep(1.1)  # tcp_tw_reuse needs timestamps that are a second older
    again = life.socket()
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    again.bind(("127.0.0.1", port))
    _, server = life.pair(again)
    close_first(life, server, again)


def main():
    families = {"ipv6": (socket.AF_INET6, "::1"), "mapped": (socket.AF_INET6, "::ffff:127.0.0.1")}
    for name in sys.argv[1:]:
        scenario, _, family = name.partition("/")
        life = Life(name, *families[family]) if family else Life(name)
        globals()[scenario](life)
        life.listener.close()


main()
