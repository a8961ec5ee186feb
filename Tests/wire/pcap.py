# SPDX-License-Identifier: Apache-2.0
"""Reads what `tcpdump -i any` wrote: TCP segments and ICMP errors, with their direction and device."""
import copy
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MASK = 0xFFFFFFFF
LINUX_SLL2 = 276
LOOPBACK = 1  # its index


def text(raw):
    """An address as it is written: v4-mapped as IPv4."""
    return str(ipaddress.ip_address(raw))


class Segment:
    __slots__ = ("t", "out", "device", "source", "target", "seq", "ack", "flags", "size", "window", "scale", "mss", "stamp", "echo")

    def __repr__(self):
        names = "".join(letter for bit, letter in ((SYN, "S"), (FIN, "F"), (RST, "R"), (ACK, ".")) if self.flags & bit)
        return f"{self.t} {'>' if self.out else '<'} {names} {self.seq} {self.ack} {self.size}"

    @property
    def length(self):
        """What it takes of the sequence space."""
        return self.size + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def end(self):
        return (self.seq + self.length) & MASK


class ICMPError:
    """An error that came in, and the segment that it quotes."""

    def __init__(self, moment, is_six, kind, code, source, target):
        self.t = moment
        self.is_six = is_six
        self.kind = kind
        self.code = code
        self.source = source
        self.target = target


def options(segment, raw):
    at = 0
    while at < len(raw):
        kind = raw[at]
        if kind == 0:
            return
        if kind == 1:
            at += 1
            continue
        if at + 1 >= len(raw) or raw[at + 1] < 2:
            return
        size = raw[at + 1]
        if kind == 2:
            segment.mss = struct.unpack_from("!H", raw, at + 2)[0]
        elif kind == 3:
            segment.scale = raw[at + 2]
        elif kind == 8:
            segment.stamp, segment.echo = struct.unpack_from("!II", raw, at + 2)
        at += size


def network(data):
    """Source, target, protocol, total length, where the payload begins; None if it isn't IP."""
    if data[0] >> 4 == 4:
        return data[12:16], data[16:20], data[9], struct.unpack_from("!H", data, 2)[0], (data[0] & 15) * 4
    if data[0] >> 4 == 6:
        return data[8:24], data[24:40], data[6], struct.unpack_from("!H", data, 4)[0] + 40, 40
    return None


def parse(moment, data, out, device, names):
    found = network(data)
    if not found:
        return None
    source, target, protocol, total, at = found
    for raw in (source, target):
        if raw not in names:
            names[raw] = text(raw)
    if protocol in (1, 58):
        kind, code = data[at], data[at + 1]
        inner = data[at + 8:]
        quoted = network(inner) if len(inner) > 28 else None
        if out or not quoted or quoted[2] != 6:
            return None
        ports = struct.unpack_from("!HH", inner, quoted[4])
        return ICMPError(moment, protocol == 58, kind, code, (text(quoted[0]), ports[0]), (text(quoted[1]), ports[1]))
    if protocol != 6:
        return None
    segment = Segment()
    segment.t, segment.out, segment.device = moment, out, device
    source_port, target_port, segment.seq, segment.ack, offset, segment.flags, segment.window = struct.unpack_from(
        "!HHIIBBH", data, at)
    segment.source, segment.target = (names[source], source_port), (names[target], target_port)
    segment.size = total - at - (offset >> 4) * 4
    segment.scale = segment.mss = segment.stamp = segment.echo = None
    options(segment, data[at + 20:at + (offset >> 4) * 4])
    return segment


def read(path):
    """Segments and ICMP errors in the order of their times."""
    with open(path, "rb") as file:
        raw = file.read()
    magic, = struct.unpack_from("=I", raw)
    if magic != 0xA1B23C4D or struct.unpack_from("=I", raw, 20)[0] != LINUX_SLL2:
        raise ValueError(f"{path}: not a capture of all devices in nanoseconds")
    names = {}
    found = []
    at = 24
    while at + 16 <= len(raw):
        seconds, nanoseconds, size, _ = struct.unpack_from("=IIII", raw, at)
        at += 16
        device, = struct.unpack_from("!I", raw, at + 4)
        out = raw[at + 10] == 4
        packet = parse(seconds * 1_000_000_000 + nanoseconds, raw[at + 20:at + size], out, device, names)
        if packet is not None:
            found.append(packet)
            if device == LOOPBACK and isinstance(packet, Segment):
                # Taken once only, on its way in.
                found[-1] = sent = copy.copy(packet)
                sent.out = True
                packet.out = False
                found.append(packet)
        at += size
    found.sort(key=lambda packet: packet.t)
    return found
