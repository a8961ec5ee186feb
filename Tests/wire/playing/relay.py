# SPDX-License-Identifier: Apache-2.0
"""Carries packets between two TUN devices, and delays, drops, doubles, reorders or answers them as each port's policy says."""
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import time

from playing import agent

TUNSETIFF = 0x400454CA
DEVICE = "wire0"
SYN, FIN, RST, ACK = 2, 1, 4, 16


def open_tun(namespace):
    """A TUN device in the namespace; the descriptor works everywhere."""
    agent.enter(namespace)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), 0x1001))
    return device


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, target, protocol, body, checksum_at=None):
    """An IP packet of either version; the checksum of the body is put in at `checksum_at`."""
    pseudo = source + target + struct.pack("!IHBB", len(body), 0, 0, protocol)
    if len(source) == 4:
        pseudo = source + target + struct.pack("!BBH", 0, protocol, len(body))
    if protocol == 1:
        pseudo = b""
    value = checksum(pseudo + body)
    body = body[:checksum_at] + struct.pack("!H", value) + body[checksum_at + 2:]
    if len(source) == 16:
        return struct.pack("!IHBB", 0x60000000, len(body), protocol, 64) + source + target + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + source + target
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


class Packet:
    """The few fields that policies look at."""

    def __init__(self, data):
        self.data = data
        six = data[0] >> 4 == 6
        self.at = 40 if six else (data[0] & 15) * 4
        self.is_tcp = data[6 if six else 9] == 6
        self.source, self.target = (data[8:24], data[24:40]) if six else (data[12:16], data[16:20])
        if self.is_tcp:
            self.source_port, self.target_port, self.seq, self.ack, offset, self.flags = struct.unpack_from(
                "!HHIIBB", data, self.at)
            self.size = len(data) - self.at - (offset >> 4) * 4

    def kind(self):
        if self.flags & RST:
            return "rst"
        if self.flags & SYN:
            return "synack" if self.flags & ACK else "syn"
        if self.flags & FIN:
            return "fin"
        return "data" if self.size else "ack"

    def unreachable(self, kind, code):
        """The ICMP error that answers this packet."""
        quoted = self.data[:self.at + 8]
        if len(self.source) == 16:
            body = struct.pack("!BBHI", kind, code, 0, 0) + self.data[:self.at + 20]
            return ip_packet(self.target, self.source, 58, body, 2)
        return ip_packet(self.target, self.source, 1, struct.pack("!BBHI", kind, code, 0, 0) + quoted, 2)


def reset(source, target, source_port, target_port, seq):
    body = struct.pack("!HHIIBBHHH", source_port, target_port, seq, 0, 0x50, RST, 0, 0, 0)
    return ip_packet(source, target, 6, body, 16)


class Relay:
    def __init__(self, devices, control, seed):
        self.devices = devices
        self.control = control
        self.random = random.Random(seed)
        self.policies = {}
        self.heap = []
        self.count = 0
        self.flows = {}

    def serve(self):
        poll = select.poll()
        for device in self.devices:
            poll.register(device, select.POLLIN)
        poll.register(self.control, select.POLLIN)
        while True:
            wait = max(0.0, self.heap[0][0] - time.monotonic()) * 1000 if self.heap else 60000
            for descriptor, _ in poll.poll(wait):
                if descriptor == self.control.fileno():
                    if not self.command():
                        return
                else:
                    self.receive(self.devices.index(descriptor))
            self.deliver()

    def command(self):
        message = self.control.recv(1 << 16)
        if not message:
            return False
        number, op, *arguments = json.loads(message)
        getattr(self, op)(*arguments)
        self.control.send(json.dumps([number, 0]).encode())
        return True

    def policy(self, port, policy):
        self.policies[port] = policy

    def forget(self, port):
        self.policies.pop(port, None)

    def reset(self, port, towards):
        """A RST as a middlebox sends it, with the next sequence number, to the namespaces in `towards`."""
        for (source, target, source_port, target_port), (index, seq) in list(self.flows.items()):
            if port in (source_port, target_port) and index in towards:
                self.write(index, reset(source, target, source_port, target_port, seq))

    def receive(self, side):
        for _ in range(64):
            try:
                data = os.read(self.devices[side], 65536)
            except BlockingIOError:
                return
            packet = Packet(data)
            if not packet.is_tcp:
                continue
            self.route(side, packet)

    def route(self, side, packet):
        policy = self.policies.get(packet.target_port) or self.policies.get(packet.source_port) or {}
        kind = packet.kind()
        if policy.get("follow"):
            size = packet.size + (1 if packet.flags & (SYN | FIN) else 0)
            self.flows[packet.source, packet.target, packet.source_port, packet.target_port] = (
                1 - side, (packet.seq + size) & 0xFFFFFFFF)
        for rule in policy.get("drop", ()):
            if rule[0] in ("*", "AB"[side]) and kind in rule[1].split(",") and rule[2] > 0:
                rule[2] -= 1
                return
        if policy.get("icmp") and kind == "syn":
            self.write(side, packet.unreachable(*policy["icmp"]))
            return
        if self.random.random() < policy.get("loss", 0):
            return
        for _ in range(1 + (self.random.random() < policy.get("double", 0))):
            delay = policy.get("delay", 0) + self.random.random() * policy.get("jitter", 0)
            if delay == 0 and not self.heap:
                self.write(1 - side, packet.data)
            else:
                self.count += 1
                heapq.heappush(self.heap, (time.monotonic() + delay, self.count, 1 - side, packet.data))

    def deliver(self):
        now = time.monotonic()
        while self.heap and self.heap[0][0] <= now:
            _, _, side, data = heapq.heappop(self.heap)
            self.write(side, data)

    def write(self, side, data):
        try:
            os.write(self.devices[side], data)
        except OSError:
            pass  # the device is down: the run is over


def main(namespaces, control, ready, seed):
    """The body of the relay's process."""
    agent.name_process("wire-relay")
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    devices = []
    for namespace in namespaces:
        devices.append(open_tun(namespace))
    ctypes.CDLL(None).setns(home, 0x40000000)
    ready.send(b"1")
    try:
        Relay(devices, control, seed).serve()
    finally:
        os._exit(0)
