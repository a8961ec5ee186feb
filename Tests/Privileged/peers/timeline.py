# SPDX-License-Identifier: Apache-2.0
"""Makes the connections of which the kernel's events alone show too little: timeline.py CASE

Prints what it knows of them, a line each: names and values. Times are CLOCK_REALTIME nanoseconds, `before` and `after` what
is meant.
"""
import socket
import struct
import subprocess
import sys
import time

TCP_SYNCNT, TCP_DEFER_ACCEPT, TCP_QUICKACK = 7, 9, 12
now = time.time_ns


def say(**facts):
    print(" ".join("%s=%s" % item for item in facts.items()), flush=True)


def sysctl(name, value):
    with open("/proc/sys/net/ipv4/" + name, "w") as file:
        file.write(str(value))


def nft(rule, hook="input"):
    text = "table inet t { chain c { type filter hook %s priority 0; %s\n}\n}" % (hook, rule)
    subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)


def listen(**options):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", options.get("port", 0)))
    if "defer" in options:
        made.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, options["defer"])
    made.listen(64)
    return made


def pair(listener):
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]


def port(client):
    return client.getsockname()[1]


def until(condition):
    """Waits for what the kernel is about to do."""
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.0005)


def states(number):
    """The states of the sockets with this local port, as /proc/net/tcp numbers them."""
    with open("/proc/self/net/tcp") as lines:
        words = [line.split() for line in list(lines)[1:]]
    return [line[3] for line in words if line[1].endswith(":%04X" % number)]


def orphan_without_timestamps():
    """FIN-WAIT-2 as an orphan, for a while, where no FIN has a timestamp."""
    sysctl("tcp_timestamps", 0)
    for seconds in (0.01, 0.3, 1.3):
        client, server = pair(listen())
        number = port(client)
        client.close()
        assert not server.recv(1)
        until(lambda: "06" in states(number) or "05" in states(number))
        time.sleep(seconds)
        before = now()
        server.close()
        say(port=number, before=before, after=now())


def orphans_at_once():
    """FIN-WAIT-2 as an orphan for less than the stamp's millisecond."""
    listener = listen()
    for count in range(40):
        client, server = pair(listener)
        server.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 1)
        number = port(client)
        client.close()
        assert not server.recv(1)
        end = time.monotonic() + 0.0002 * (count % 8)
        while time.monotonic() < end:
            pass
        before = now()
        server.close()
        say(port=number, before=before, after=now())
        time.sleep(0.01)


def calls():
    """What sends the FIN, each once at the active closer."""
    listener = listen()

    def close(client):
        client.close()

    def shutdown(client):
        client.shutdown(socket.SHUT_WR)

    def both(client):
        client.shutdown(socket.SHUT_RDWR)

    def both_and_close(client):
        client.shutdown(socket.SHUT_RDWR)
        client.close()

    def lingering_close(client):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
        client.close()

    kept = []
    for act in (close, shutdown, both, both_and_close, lingering_close):
        client, server = pair(listener)
        number = port(client)
        act(client)
        kept.append(client)
        assert not server.recv(1)
        server.close()
        until(lambda: set(states(number)) <= {"06"})
        say(port=number, call=act.__name__)
    for client in kept:
        client.close()


def reset_of_an_orphan():
    """A RST for a FIN-WAIT-2 of the kernel's own, which is gone without an event."""
    listener = listen()
    for milliseconds in (20, 80, 400):
        client, server = pair(listener)
        number = port(client)
        client.close()
        assert not server.recv(1)
        until(lambda: "05" in states(number) or "06" in states(number))
        time.sleep(milliseconds / 1000)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        before = now()
        server.close()
        say(port=number, before=before, after=now())


def unread_at_the_fin():
    """The server closes with data unread, before its acknowledgement of the FIN is due."""
    client, server = pair(listen())
    client.send(b"x" * 100)
    number = port(client)
    client.close()
    until(lambda: "08" in states(server.getsockname()[1]))
    server.close()
    say(port=number)


def icmp(kind):
    nft("tcp dport 84 reject" + kind)
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", 84))
    number = port(client)
    # The first ICMP error comes while connect() has the socket, and changes nothing; the one to the next SYN does.
    until(lambda: "02" not in states(number))
    say(error=client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def refused_by_icmp():
    icmp("")


def refused_by_reset():
    icmp(" with tcp reset")


def overflow():
    """More TIME-WAIT than this namespace allows."""
    sysctl("tcp_max_tw_buckets", 3)
    listener = listen()
    for _ in range(8):
        client, server = pair(listener)
        number = port(client)
        client.shutdown(socket.SHUT_WR)
        assert not server.recv(1)
        server.close()
        assert not client.recv(1)
        client.close()
        until(lambda: set(states(number)) <= {"06"})
        say(port=number, kept=len(states(number)))


def lost_syn_acks():
    """No SYN-ACK arrives, so the client gives up."""
    nft("tcp sport 90 tcp flags & (syn|ack) == syn|ack drop")
    sysctl("tcp_syn_linear_timeouts", 0)
    listener = listen(port=90)
    listener.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 2)
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
    client.bind(("127.0.0.1", 0))
    number = port(client)
    try:
        client.connect(listener.getsockname())
    except OSError as error:
        until(lambda: "03" not in states(90))
        say(port=number, error=error.errno)


def deferred():
    """The listener waits for data, longer than a request's first timeout."""
    listener = listen(defer=10)
    other = listen()
    # Something that only readings of the tables can follow, so that there are some.
    client, server = pair(other)
    client.close()
    assert not server.recv(1)
    client = socket.create_connection(listener.getsockname())
    connected = now()
    time.sleep(2.5)
    before = now()
    client.send(b"x")
    accepted = listener.accept()[0]
    say(port=listener.getsockname()[1], connected=connected, before=before, after=now())
    accepted.close()
    server.close()


globals()[sys.argv[1]]()
