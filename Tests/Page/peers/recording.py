# SPDX-License-Identifier: Apache-2.0
"""Writes a recording of invented connections, as `trace --format csv --columns all` writes it.

recording.py CONNECTIONS [SECONDS] > t.csv prints the same bytes each time: clients, servers, resets,
refusals, leaks in CLOSE-WAIT, sockets that stay open, connections with both ends on this host, and hostile names.
"""
import csv
import random
import sys

HEADER = """timestamp timestamp_unix_nano sequence connection_id role process_pid process_name user_id
cgroup_id netns network_type local_address local_port peer_address peer_port state_old state_new
state_duration_ns duration_kind source actor_pid actor_name reason bytes_sent bytes_received rtt_us
retransmits closer initial_send_sequence initial_receive_sequence send_unacknowledged send_next
receive_next unread_bytes unacknowledged_bytes send_window_bytes receive_window_bytes
congestion_window_packets slow_start_threshold_packets congestion_control rto_us
syn_ack_retransmits segments_sent segments_received socket_address interface_index container_name""".split()
START = 1_795_468_323_204_131_000
HOSTILE = ["</script><b>", "a,b\"c'", "\u202egpj.exe", "\x1b[2Jx\n", "<!--<script>", "\u05d0\u05d1\u05d2 rtl", "&lt;img&gt;"]
PROCESSES = [("nginx", 812), ("postgres", 1207), ("curl", 0), ("python3", 4410), ("java", 2290), ("redis-server", 977)]


class Socket:
    def __init__(self, out, number, role, process, local, peer, numbers):
        self.out = out
        self.state = "closed"
        self.since = None
        self.row = dict(
            connection_id=f"{number:016x}", role=role, process_pid=process[1], process_name=process[0],
            user_id=1000, netns=4026531840, network_type="ipv6" if ":" in local[0] else "ipv4",
            local_address=local[0], local_port=local[1], peer_address=peer[0], peer_port=peer[1],
            source="event", initial_send_sequence=numbers[0], initial_receive_sequence=numbers[1],
            send_next=(numbers[0] + 1) % 2**32, send_unacknowledged=(numbers[0] + 1) % 2**32,
            receive_next=(numbers[1] + 1) % 2**32, bytes_sent=0, bytes_received=0, rtt_us=random.randint(20, 40_000),
            retransmits=0, congestion_window_packets=10, congestion_control="cubic", rto_us=204_000,
            container_name="web-1" if process[0] == "nginx" else "", send_window_bytes=64_240, receive_window_bytes=65_535, segments_sent=1, segments_received=1)

    def go(self, state, at, stay="known", **more):
        row = dict(self.row, state_old=self.state, state_new=state, **more)
        if stay == "known" and self.since is not None:
            row.update(state_duration_ns=at - self.since, duration_kind="exact")
        elif isinstance(stay, tuple):
            row.update(state_duration_ns=stay[0], duration_kind=stay[1])
        self.out.append((at, row))
        self.state, self.since = state, at

    def data(self, sent, received):
        for name, by in (("send_next", sent), ("send_unacknowledged", sent), ("receive_next", received)):
            self.row[name] = (self.row[name] + by) % 2**32
        self.row["bytes_sent"] += sent
        self.row["bytes_received"] += received
        self.row["segments_sent"] += 2
        self.row["segments_received"] += 2


def stretch(low, high):
    """Random nanoseconds, log-uniform between powers of ten."""
    return int(10 ** random.uniform(low, high))


def client(out, number, process, local, peer, begin, kind):
    socket = Socket(out, number, "client", process, local, peer, (random.getrandbits(32), random.getrandbits(32)))
    at = begin
    socket.go("syn_sent", at)
    at += stretch(4.5, 7.6)
    if kind == "refused":
        return socket.go("closed", at, reason="refused")
    socket.go("established", at)
    at += stretch(5, 10.2)
    socket.data(random.randint(80, 900), random.randint(200, 90_000))
    if kind == "reset":
        return socket.go("closed", at, reason="reset_received")
    if kind == "open":
        return None
    socket.row["closer"] = "active"
    socket.go("fin_wait_1", at)
    at += stretch(4.5, 7.6)
    socket.go("fin_wait_2", at)
    if kind == "half":
        return None
    at += stretch(3.8, 8.5)
    socket.go("time_wait", at, reason="fin")
    socket.go("closed", at + 60_000_000_000, reason="fin", source="derived")


def server(out, number, process, local, peer, begin, kind):
    socket = Socket(out, number, "server", process, local, peer, (random.getrandbits(32), random.getrandbits(32)))
    handshake = stretch(4.2, 7.2)
    at = begin + handshake
    socket.state = "listen"
    socket.go("syn_received", at - 500)
    socket.go("established", at, (handshake, "exact"))
    at += stretch(5, 10.2)
    socket.data(random.randint(200, 90_000), random.randint(80, 900))
    if kind == "open":
        return
    socket.row["closer"] = "passive"
    socket.go("close_wait", at)
    if kind == "leak":
        return
    at += stretch(4, 9)
    socket.go("last_ack", at)
    socket.go("closed", at + stretch(4.3, 6.5), reason="fin")


def connection(out, index, seconds):
    begin = START + int(random.uniform(0, seconds) * 1e9)
    number = 0xA3F10 + 2 * index
    address = f"10.0.{index % 7}.{1 + index % 40}" if index % 9 else f"2001:db8::{index % 40 + 1:x}"
    port = 32_768 + index % 28_000
    name, pid = PROCESSES[index % len(PROCESSES)]
    if index % 41 == 5:
        name = HOSTILE[index // 41 % len(HOSTILE)]
    us = "10.0.0.5" if ":" not in address else "2001:db8::5"
    if index % 3:
        kind = random.choices(["leak", "open", "whole"], [4, 3, 93])[0]
        server(out, number, (name, pid or 9000), (us, 443 if index % 2 else 5432), (address, port), begin, kind)
    else:
        kind = random.choices(["refused", "reset", "open", "half", "whole"], [3, 3, 3, 1, 90])[0]
        client(out, number, (name, pid or 8000 + index % 900), (us, port), (address, 80), begin, kind)


def twins(out, index, seconds):
    """Both ends of a connection on this host: the client closes, the server forgets to if index is even."""
    begin = START + int(random.uniform(0, seconds) * 1e9)
    port = 61_000 + index
    first, second = random.getrandbits(32), random.getrandbits(32)
    ends = [("fd00::5:1234:5678:9abc:def0", port), ("fd00::5:1234:5678:9abc:1", 6379)]
    client = Socket(out, 0x100000 + 2 * index, "client", ("worker", 7001), ends[0], ends[1], (first, second))
    server = Socket(out, 0x100001 + 2 * index, "server", ("redis-server", 977), ends[1], ends[0], (second, first))
    client.go("syn_sent", begin)
    server.state = "listen"
    server.go("syn_received", begin + 20_000)
    client.go("established", begin + 50_000)
    server.go("established", begin + 70_000, (50_000, "exact"))
    at = begin + stretch(7, 9)
    client.data(500, 2_000)
    server.data(2_000, 500)
    client.row["closer"], server.row["closer"] = "active", "passive"
    client.go("fin_wait_1", at)
    server.go("close_wait", at + 30_000)
    client.go("fin_wait_2", at + 60_000)
    if index % 2:
        server.go("last_ack", at + 5_000_000)
        client.go("time_wait", at + 5_040_000, reason="fin")
        server.go("closed", at + 5_080_000, reason="fin")


def main():
    random.seed(793)
    count = int(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    rows = []
    for index in range(count):
        connection(rows, index, seconds)
    for index in range(count // 30):
        twins(rows, index, seconds)
    end = START + int(seconds * 1.2e9)
    rows = sorted((row for row in rows if row[0] < end), key=lambda row: row[0])
    writer = csv.DictWriter(sys.stdout, HEADER, restval="", lineterminator="\n")
    writer.writeheader()
    sequence = 0
    for at, row in rows:
        # One gap, as a loss leaves.
        sequence += 4 if sequence == len(rows) // 2 else 1
        writer.writerow(dict(row, timestamp_unix_nano=at, sequence=sequence))


main()
