# SPDX-License-Identifier: Apache-2.0
"""Joins the captures and the logs of calls into ends: one socket of one connection, with its segments, calls and holders."""
import glob
import ipaddress
import json

import pcap
from pcap import ACK, RST, SYN
from playing.world import ADDRESSES

CLOSING_OPS = ("shutdown", "disconnect", "kill")


def plain(address):
    """An address as the wire has it: v4-mapped as IPv4."""
    host, port = address
    value = ipaddress.ip_address(host)
    if value.version == 6 and value.ipv4_mapped:
        value = value.ipv4_mapped
    return str(value), port


class Flow:
    """What one host has seen of one connection, from its first SYN on."""

    def __init__(self, side, local, peer):
        self.side = side
        self.local = local
        self.peer = peer
        self.segments = []
        self.syn_out = None
        self.syn_in = None
        self.answered = False
        self.handle = None
        self.next = None

    def belongs(self, segment):
        """Whether a SYN is part of this connection: sent again, or the other of two that cross."""
        known, other = (self.syn_out, self.syn_in) if segment.out else (self.syn_in, self.syn_out)
        if known is not None:
            return known == segment.seq
        return other is not None and not self.answered

    def add(self, segment):
        self.segments.append(segment)
        if segment.flags & SYN and not segment.flags & (ACK | RST):
            if segment.out:
                self.syn_out = segment.seq
            else:
                self.syn_in = segment.seq
        else:
            self.answered = True


def flows(side, packets):
    """All flows of a host by its end's address and the peer's, each with its successors; and the ICMP errors."""
    found = {}
    errors = []
    for packet in packets:
        if isinstance(packet, pcap.ICMPError):
            errors.append(packet)
            continue
        local, peer = (packet.source, packet.target) if packet.out else (packet.target, packet.source)
        known = found.setdefault((local, peer), [])
        if packet.flags & SYN and not packet.flags & (ACK | RST) and not (known and known[-1].belongs(packet)):
            known.append(Flow(side, local, peer))
            if len(known) > 1:
                known[-2].next = known[-1]
        if known:
            known[-1].add(packet)
    return found, errors


class Socket:
    """What the logs say of one socket: its calls, and which processes had it when."""

    def __init__(self, handle):
        self.handle = handle
        self.calls = []
        self.holds = {}  # pid -> [since, until or None]
        self.flight = 0
        self.last_close = None
        self.dropped = None
        self.uid = 0
        self.family = None
        self.linger = False
        self.options = {}
        self.descriptors = {}  # pid -> fd

    def take(self, pid, since):
        self.holds.setdefault(pid, []).append([since, None])

    def drop(self, call, pid):
        for hold in self.holds.get(pid, []):
            if hold[1] is None:
                hold[1] = (call["t0"], call["t1"])
        if not self.flight and not any(hold[1] is None for holds in self.holds.values() for hold in holds):
            self.last_close = call
            if self.dropped and self.dropped["t1"] > call["t0"]:
                # Two processes closed at the same time; either can have been the last.
                self.last_close = {**call, "t1": max(call["t1"], self.dropped["t1"]), "others": [self.dropped["pid"]]}
        self.dropped = call

    def holders(self, moment, slack=0):
        """The processes that had a descriptor of it around a moment."""
        return {pid for pid, holds in self.holds.items() for since, until in holds
                if since[0] - slack <= moment and (until is None or moment <= until[1] + slack)}

    def between(self, begun, ended):
        """The processes that had one at any time between."""
        return {pid for pid, holds in self.holds.items() for since, until in holds
                if since[0] <= ended and (until is None or until[1] >= begun)}

    def formerly(self, moment, grace):
        """Those that had one until not long ago."""
        return {pid for pid, holds in self.holds.items() for since, until in holds
                if until and since[0] <= moment and until[1] > moment - grace}

    def surely(self, moment):
        """Those that had one without doubt."""
        return {pid for pid, holds in self.holds.items() for since, until in holds
                if since[1] <= moment and (until is None or moment <= until[0])}


class Calls:
    """All logs, by socket."""

    def __init__(self, folder):
        self.sockets = {}
        self.names = {}
        self.scenes = {}
        self.all = []
        self.children = {}
        self.overflow = None
        for path in glob.glob(f"{folder}/calls-*.jsonl"):
            name, pid = path[len(folder) + 7:-6].rsplit("-", 1)
            self.names[int(pid)] = name
            with open(path) as file:
                self.all += [json.loads(line) for line in file]
        with open(f"{folder}/scenes.jsonl") as file:
            for line in file:
                record = json.loads(line)
                if record["op"] == "scene":
                    self.scenes[record["number"]] = record
                elif record["op"] == "overflow":
                    self.overflow = record
                elif record["op"] == "kill":
                    self.names[record["pid"]] = record["name"]
                    self.all.append(record)
        self.all.sort(key=lambda call: (call["t0"], call["n"]))
        for call in self.all:
            self.note(call)

    def overflows(self, side, moment):
        """Whether tcp_max_tw_buckets was lowered there at that moment."""
        return self.overflow is not None and side == self.overflow["side"] and self.overflow["t0"] <= moment <= self.overflow["t1"]

    def get(self, handle):
        if handle not in self.sockets:
            self.sockets[handle] = Socket(handle)
        return self.sockets[handle]

    def note(self, call):
        op, pid = call["op"], call["pid"]
        span = call["t0"], call["t1"]
        if op == "fork":
            self.children[call["child"]] = call["handles"]
            self.names[call["child"]] = call["name"]
            for handle in call["handles"]:
                held = self.get(handle)
                held.take(call["child"], span)
                held.descriptors[call["child"]] = held.descriptors.get(pid)
            return
        if op in ("exit", "reaped", "released"):
            gone = call["child"] if op == "reaped" else pid
            for handle in call["handles"] if op != "reaped" else self.children.get(gone, []):
                made = self.get(handle)
                if any(hold[1] is None for hold in made.holds.get(gone, [])):
                    made.drop({**call, "pid": gone, "op": "close"}, gone)
            return
        made = self.get(call["h"])
        made.calls.append(call)
        if "fd" in call:
            made.descriptors[pid] = call["fd"]
        if op in ("socket", "accept"):
            made.uid = call["uid"]
            made.take(pid, span)
            for level, name, value in call.get("options", ()):
                made.options[level, name] = value
        elif op == "take":
            made.flight -= 1
            made.take(pid, span)
        elif op == "give":
            made.flight += 1
        elif op == "option":
            made.options[tuple(call["what"][:2])] = call["what"][2]
            made.linger = made.linger or call["what"][:2] == [1, 13]
        elif op == "close":
            made.drop(call, pid)


class End:
    """One socket of one connection, or a listener, or a socket whose connect() sent nothing."""

    def __init__(self, side, role, socket, local, peer, flow=None, origin=None):
        self.side = side
        self.role = role
        self.socket = socket
        self.local = local
        self.peer = peer
        self.flow = flow
        self.origin = origin
        self.listener = None
        self.errors = []
        self.other = None
        self.steps = []
        self.scene = None
        self.rows = []

    @property
    def segments(self):
        return self.flow.segments if self.flow else []

    def __repr__(self):
        return f"{self.side} {self.role} {self.local[0]}:{self.local[1]} {self.peer and f'{self.peer[0]}:{self.peer[1]}'} {self.scene}"


def side_of(calls, pid):
    return "A" if calls.names.get(pid, "").split("-")[-1].startswith("c") or calls.names.get(pid) == "ss" else "B"


def clients(calls, table, errors):
    """An end for each connect()."""
    ends = []
    for call in calls.all:
        if call["op"] != "connect":
            continue
        side = side_of(calls, call["pid"])
        local, peer = plain(call["local"]), plain(call["peer"])
        if local[0] in ("0.0.0.0", "::"):
            local = ADDRESSES[side][":" in peer[0]], local[1]  # it has got no further than to its address
        end = End(side, "client", calls.get(call["h"]), local, peer, origin=call)
        for flow in table[side].get((local, peer), ()):
            if flow.syn_out is not None and flow.handle is None and any(
                    s.out and s.flags & SYN and call["t0"] <= s.t <= call["t1"] + 1_000_000 for s in flow.segments):
                flow.handle = call["h"]
                end.flow = flow
        end.errors = [e for e in errors[side] if e.source == local and e.target == peer]
        ends.append(end)
    return ends


def servers(calls, table):
    """An end for each SYN that was answered; accepted or not."""
    accepted = {}
    for call in calls.all:
        if call["op"] == "accept":
            accepted.setdefault((side_of(calls, call["pid"]), plain(call["local"]), plain(call["peer"])), []).append(call)
    listeners = {}
    for call in calls.all:
        if call["op"] == "listen":
            listeners.setdefault((side_of(calls, call["pid"]), call["local"][1]), []).append(call)
    ends = []
    for side, known in table.items():
        for (local, peer), line in known.items():
            for flow in line:
                if flow.syn_in is None or flow.handle or not any(
                        s.out and s.flags & SYN and s.flags & ACK for s in flow.segments):
                    continue
                begun = flow.segments[0].t
                call = next((c for c in accepted.get((side, local, peer), ()) if c["t1"] >= begun and not c.get("used")
                             and not (flow.next and c["t0"] > flow.next.segments[0].t)), None)
                if call:
                    call["used"] = True
                end = End(side, "server", calls.get(call["h"]) if call else None, local, peer, flow, call)
                before = [c for c in listeners.get((side, local[1]), ()) if c["t0"] <= begun]
                end.listener = calls.get(before[-1]["h"]) if before else None
                ends.append(end)
    return ends


def listening(calls):
    return [End(side_of(calls, call["pid"]), "listener", calls.get(call["h"]), plain(call["local"]), None, origin=call)
            for call in calls.all if call["op"] == "listen"]


def collect(folder):
    """All ends, each with its scene; and the calls."""
    calls = Calls(folder)
    table, errors = {}, {}
    for side in "AB":
        table[side], errors[side] = flows(side, pcap.read(f"{folder}/{side}.pcap"))
    ends = clients(calls, table, errors)
    ends += servers(calls, table)
    ends += listening(calls)
    name_scenes(calls, ends)
    return ends, calls


def name_scenes(calls, ends):
    """Both ends of a connection belong to the scene of the handle that connected."""
    connected = {}
    for end in ends:
        if end.role == "client":
            number = int("".join(letter for letter in end.socket.handle if letter.isdigit() or letter in "cd").split(
                "c")[0].split("d")[0])
            end.scene = calls.scenes.get(number, {}).get("name", "?")
            if end.flow:
                connected.setdefault((end.local, end.peer), []).append(end)
    for end in ends:
        if end.role == "listener":
            end.scene = "listener"
        elif end.flow:
            for other in connected.get((end.peer, end.local), ()):
                mine = {s.seq for s in end.segments if s.flags & SYN and not s.out}
                if other is not end and any(s.out and s.flags & SYN and s.seq in mine for s in other.segments):
                    end.other, other.other = other, end
                    end.scene = other.scene
