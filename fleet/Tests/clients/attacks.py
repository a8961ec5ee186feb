# SPDX-License-Identifier: Apache-2.0
"""Clients of ill will: what they cost the server, and whether others are still answered."""
import random
import select
import socket
import tempfile
import threading
import time

from certificates import Authority
from plain import hashed
from requests_by_curl import curl
from server import Server, wait_for

# Megabytes that an attack may add to the server's memory.
GROWTH = 48


# Seconds from the beginning of an attack in which others may be asked to try again (503), until it shows who is slow.
PATIENCE = 2


class Honest(threading.Thread):
    """Scrapes over and over during an attack; each must be answered."""

    def __init__(self, url, *options):
        super().__init__(daemon=True)
        self.url, self.options = url, options
        self.slowest, self.count, self.refused, self.fault, self.stopped = 0.0, 0, 0, None, threading.Event()

    def run(self):
        begin = time.monotonic()
        while not self.stopped.is_set():
            start = time.monotonic()
            try:
                answer = curl(self.url, *self.options)
                if answer.status == 503 and start < begin + PATIENCE:
                    assert answer.headers["retry-after"] == "1"
                    self.refused += 1
                    continue
                assert answer.status == 200, f"status {answer.status}"
            except AssertionError as fault:
                self.fault = self.fault or fault
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.count += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            seen = self.count
            wait_for("scrapes after the attack", lambda: self.count > seen + 2 or self.fault)
        self.stopped.set()
        self.join()
        assert kind or self.fault is None, f"another client: {self.fault}"


def under_attack(binary, attack, *options, scheme="http", trusted=()):
    """Runs attack(server) while an honest client scrapes; says what it cost."""
    with Server(binary, *options) as server:
        url = f"{scheme}://127.0.0.1:{server.port}/metrics"
        wait_for("a page", lambda: curl(url, *trusted).status == 200)
        before = server.memory()
        with Honest(url, *trusted) as honest:
            what = attack(server)
        peak = server.memory("VmHWM")
        assert peak - before < GROWTH, f"{before:.0f} MB before, {peak:.0f} MB at most"
        assert "Fatal" not in server.text()
        return f"{what}; memory {before:.1f} MB before, {peak:.1f} MB at most; {honest.count} other scrapes, the slowest {honest.slowest * 1000:.0f} ms, {honest.refused} asked to try again"


def connect(server, buffer=None):
    client = socket.socket()
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", server.port))
    return client


def is_closed(client):
    """Whether the server has ended the connection, after whatever it sent."""
    client.setblocking(False)
    try:
        while piece := client.recv(1 << 16):
            pass
        return piece == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def slow_headers(binary):
    def attack(server):
        clients = [connect(server) for _ in range(100)]
        start = time.monotonic()
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n")

        def drip():
            for client in clients:
                try:
                    client.send(b"X")
                except OSError:
                    pass
            return all(map(is_closed, clients))

        wait_for("the end of all slow clients", drip)
        seconds = time.monotonic() - start
        assert 1.5 < seconds < 20, seconds
        return f"100 clients that drip a header were closed after {seconds:.1f} s of 2 s"
    return under_attack(binary, attack, "--seconds=2")


def slow_readers(binary):
    """A page of 5 MB, in a window of 4 kB, which nobody reads."""
    def attack(server):
        clients = [connect(server, 4096) for _ in range(100)]
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        start = time.monotonic()
        wait_for("the end of all slow readers", lambda: dropped(server, "slow_reader") + dropped(server, "evicted") >= 60)
        for client in clients:
            client.close()
        return f"100 clients that don't read 5 MB were dropped within {time.monotonic() - start:.1f} s of 4 s"
    return under_attack(binary, attack, "--seconds=4", "--series=150000")


def dropped(server, cause, *options, scheme="http"):
    """How many connections the page counts for the cause; 0 if the server asks to try again."""
    page = curl(f"{scheme}://127.0.0.1:{server.port}/metrics", *options).body.decode()
    return int(next((line.split()[-1] for line in page.splitlines() if f'dropped_total{{cause="{cause}"}}' in line), 0))


def idle_connections(binary):
    def attack(server):
        clients = [connect(server) for _ in range(1000)]
        descriptors = server.descriptors()
        assert descriptors < 128 + 20, f"{descriptors} descriptors"
        wait_for("evictions", lambda: dropped(server, "evicted") >= 800)
        for client in clients:
            client.close()
        return f"1,000 idle connections: {descriptors} descriptors open"
    return under_attack(binary, attack)


def long_request_line(binary):
    def attack(server):
        client = connect(server)
        sent, piece = 4, b"A" * (1 << 20)
        client.sendall(b"GET ")
        answer = b""
        try:
            while sent < 1 << 30:
                sent += client.send(piece)
                if select.select([client], [], [], 0)[0]:
                    answer += client.recv(65536)
                    if not answer:
                        break
        except OSError:
            pass
        assert sent < 64 << 20, f"{sent} bytes were taken"
        assert not answer or b" 431 " in answer, answer
        for header in (b"GET / HTTP/1.1\r\nX: " + b"A" * 100_000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
                       b"\r\n" * 1_000_000):
            with connect(server) as other:
                try:
                    other.sendall(header)
                    other.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                wait_for("the end", lambda client=other: is_closed(client), 20)
        return f"a request line of 1 GB: {sent / 1e6:.1f} MB were sent until the connection was closed"
    return under_attack(binary, attack)


def pipelines(binary):
    """Requests without end on one connection, of which no answer is read; and a body without end."""
    def attack(server):
        sent = 0
        for text in (b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 10_000,
                     b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"A" * 65536 + b"\r\n"):
            client = connect(server)
            client.setblocking(False)
            end = time.monotonic() + 20
            try:
                while time.monotonic() < end:
                    if not select.select([], [client], [], 0.5)[1]:
                        break  # the server doesn't read on: it waits for us
                    sent += client.send(text)
            except OSError:
                pass
            client.close()
        assert sent < 256 << 20, f"{sent} bytes were taken"
        return f"pipelined requests and a body without end: {sent / 1e6:.1f} MB were taken"
    return under_attack(binary, attack, "--series=20000")


def malformed_tls(binary):
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        authority.issue("server", "IP:127.0.0.1")
        with open(f"{folder}/web.yml", "w", encoding="utf-8") as file:
            file.write("tls_server_config: {cert_file: server.crt, key_file: server.key}\n")
        trusted = ("--cacert", authority.certificate)

        def attack(server):
            seed = random.Random(7)
            hello = record_of_a_client(server)
            cases = [b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", hello[: len(hello) // 2], hello * 3,
                     b"\x16\x03\x01\xff\xff" + b"A" * 65535]
            for _ in range(200):
                broken = bytearray(hello)
                for _ in range(seed.randint(1, 20)):
                    broken[seed.randrange(len(broken))] = seed.randrange(256)
                cases += [bytes(broken), seed.randbytes(seed.randint(1, 3000))]
            for case in cases:
                with connect(server) as client:
                    try:
                        client.sendall(case)
                        client.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
                    wait_for("the end", lambda client=client: is_closed(client), 20)
            count = dropped(server, "tls", *trusted, scheme="https")
            assert count > len(cases) // 2, count
            return f"{len(cases)} malformed handshakes, {count} counted"
        return under_attack(binary, attack, f"--web.config.file={folder}/web.yml", scheme="https", trusted=trusted)


def record_of_a_client(server):
    """The first flight of a real handshake, caught by a socket between."""
    import ssl
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def wrong_passwords(binary):
    """A flood of wrong passwords doesn't hold up the client whose password is known."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(f"basic_auth_users: {{alice: {hashed('right')}}}\n")
        file.flush()

        def attack(server):
            statuses = {}
            lock = threading.Lock()

            def guess(number):
                for turn in range(10):
                    status = curl(f"http://127.0.0.1:{server.port}/", "--user", f"alice:{number}-{turn}").status
                    with lock:
                        statuses[status] = statuses.get(status, 0) + 1
            guesses = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
            for thread in guesses:
                thread.start()
            for thread in guesses:
                thread.join()
            assert set(statuses) <= {401, 429}, statuses
            return f"200 wrong passwords: {statuses.get(401, 0)} checked, {statuses.get(429, 0)} refused at once"
        return under_attack(binary, attack, f"--web.config.file={file.name}", trusted=("--user", "alice:right"))
