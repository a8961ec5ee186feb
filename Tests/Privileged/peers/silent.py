# SPDX-License-Identifier: Apache-2.0
"""Connections that end, or begin, without the segment that one would expect, in this network namespace.

usage: silent.py NAME...   Prints "NAME PORT" before each: the port that identifies its sockets.

Each step waits for what it needs (TCP_INFO, /proc/net), not for time.
"""

import errno
import socket
import subprocess
import sys
import time

REPAIR, QUEUE, SEQUENCE = 19, 20, 21


def run(*command, text=None):
    subprocess.run(command, check=True, input=text, text=True)


def until(condition, what):
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.001)


def sysctl(name, value):
    with open(f"/proc/sys/net/ipv4/{name}", "r+") as file:
        old = file.read().strip()
        file.seek(0)
        file.write(value)
    return old


def fails(sock, address, wanted):
    error = sock.connect_ex(address)
    assert error == wanted, f"connect() gave {errno.errorcode.get(error, error)}"


def listen(name, address="127.0.0.1"):
    listener = socket.socket()
    listener.bind((address, 0))
    listener.listen(8)
    print(name, listener.getsockname()[1], flush=True)
    return listener


def no_port(name):
    listener = listen(name)
    free = listener.getsockname()[1] ^ 1
    before = sysctl("ip_local_port_range", f"{free} {free}")
    one, other = socket.socket(), socket.socket()
    fails(one, listener.getsockname(), 0)
    fails(other, listener.getsockname(), errno.EADDRNOTAVAIL)
    sysctl("ip_local_port_range", before)


def addresses_in_use(name):
    """Two sockets bound to one port may not connect to the same peer."""
    listener = listen(name)
    sockets = [socket.socket(), socket.socket()]
    for sock in sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sockets[0].bind(("127.0.0.1", 0))
    sockets[1].bind(sockets[0].getsockname())
    fails(sockets[0], listener.getsockname(), 0)
    fails(sockets[1], listener.getsockname(), errno.EADDRNOTAVAIL)


def no_route(name):
    """A rule that depends on the port applies once connect() has chosen one."""
    run("ip", "link", "add", "wire9", "type", "veth", "peer", "name", "wire8")
    run("ip", "addr", "add", "10.9.0.1/24", "dev", "wire9")
    run("ip", "link", "set", "wire9", "up")
    run("ip", "rule", "add", "pref", "10", "ipproto", "tcp", "sport", "1024-65534", "unreachable")
    print(name, 909, flush=True)
    fails(socket.socket(), ("10.9.0.2", 909), errno.ENETUNREACH)
    run("ip", "rule", "del", "pref", "10")


def reject(port, family, answer):
    rule = f"table {family} silent {{ chain input {{ type filter hook input priority 0; tcp dport {port} reject with {answer}; }}; }}"
    run("nft", "-f", "-", text=rule + "\n")


def icmp_refused(name):
    print(name, 901, flush=True)
    reject(901, "ip", "icmp type port-unreachable")
    fails(socket.socket(), ("127.0.0.1", 901), errno.ECONNREFUSED)
    run("nft", "delete", "table", "ip", "silent")


def icmp_unreachable(name):
    print(name, 902, flush=True)
    reject(902, "ip", "icmp type host-unreachable")
    fails(socket.socket(), ("127.0.0.1", 902), errno.EHOSTUNREACH)
    run("nft", "delete", "table", "ip", "silent")


def icmp6_prohibited(name):
    print(name, 903, flush=True)
    reject(903, "ip6", "icmpv6 type admin-prohibited")
    fails(socket.socket(socket.AF_INET6), ("::1", 903), errno.EACCES)
    run("nft", "delete", "table", "ip6", "silent")


def repair(name):
    """What CRIU does to take a connection elsewhere."""
    listener = listen(name)
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    local = client.getsockname()
    client.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)
    numbers = {}
    for queue in (1, 2):
        client.setsockopt(socket.IPPROTO_TCP, QUEUE, queue)
        numbers[queue] = client.getsockopt(socket.IPPROTO_TCP, SEQUENCE, 4)
    client.close()
    again = socket.socket()
    again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    again.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)
    for queue in (1, 2):
        again.setsockopt(socket.IPPROTO_TCP, QUEUE, queue)
        again.setsockopt(socket.IPPROTO_TCP, SEQUENCE, numbers[queue])
    again.bind(local)
    again.connect(listener.getsockname())
    again.setsockopt(socket.IPPROTO_TCP, REPAIR, 0)
    again.send(b"still there")
    assert server.recv(64) == b"still there"


def syn_ack_retransmits():
    with open("/proc/net/netstat") as table:
        names, values = [line.split() for line in table if line.startswith("TcpExt:")]
    return int(values[names.index("TCPSynRetrans")])


def is_half_open(port):
    with open("/proc/net/tcp") as table:
        return any(f":{port:04X} " in line and " 03 " in line for line in table)


def listener_closed(name):
    """The last ACK doesn't arrive, and then there is no listener any more."""
    listener = listen(name)
    port = listener.getsockname()[1]
    rule = f"table ip silent {{ chain input {{ type filter hook input priority 0; tcp dport {port} tcp flags & syn == 0 drop; }}; }}"
    run("nft", "-f", "-", text=rule + "\n")
    before = syn_ack_retransmits()
    client = socket.create_connection(listener.getsockname())
    until(lambda: syn_ack_retransmits() > before, "a SYN-ACK sent again")
    listener.close()
    until(lambda: not is_half_open(port), "the request's end")
    run("nft", "delete", "table", "ip", "silent")
    client.close()


for name in sys.argv[1:]:
    globals()[name](name)
