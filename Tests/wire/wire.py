# SPDX-License-Identifier: Apache-2.0
"""What a capture says of an end at any moment: sequence numbers, counts, windows, round trips."""
import bisect

from pcap import ACK, FIN, MASK, RST, SYN

HALF = 0x80000000


class Moment:
    """The numbers after one segment; sequence numbers count from the initial one, without end."""

    __slots__ = ("iss", "irs", "nxt", "una", "rcv", "fin_out", "fin_in", "out", "into", "again", "syn_acks", "window", "advertised",
                 "device", "fastest", "slowest")

    def __init__(self):
        for name in self.__slots__:
            setattr(self, name, None)
        self.out = self.into = self.again = self.syn_acks = 0
        self.nxt = self.una = self.rcv = 0

    def copy(self):
        other = Moment.__new__(Moment)
        for name in self.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    @property
    def payload_out(self):
        return max(0, self.nxt - 1 - bool(self.fin_out))

    @property
    def payload_in(self):
        return max(0, self.rcv - 1 - bool(self.fin_in))

    @property
    def unacknowledged(self):
        fin = bool(self.fin_out) and self.una <= self.fin_out
        return max(0, self.nxt - self.una - fin - (self.una == 0 and self.nxt > 0))


def offset(number, base, near):
    """The sequence number as a distance from the initial one, the one closest to `near`."""
    distance = (number - base) & MASK
    return distance + ((near - distance + HALF) >> 32 << 32)


class Wire:
    def __init__(self, end):
        self.end = end
        self.times = []
        self.moments = []
        self.scale_in = self.scale_out = 0
        self.scales = {}
        self.islands = {}
        self.outstanding = {}
        self.updated = 0
        self.syns = set()  # a SYN, and when SYNs cross a SYN ACK after it
        now = Moment()
        for segment in end.segments:
            now = now.copy()
            (self.sent if segment.out else self.came)(now, segment)
            self.times.append(segment.t)
            self.moments.append(now)
        self.before = Moment()

    def at(self, time):
        index = bisect.bisect_right(self.times, time)
        return self.moments[index - 1] if index else self.before

    def between(self, low, high):
        return self.times and bisect.bisect_right(self.times, low) != bisect.bisect_right(self.times, high)

    def sent(self, now, segment):
        if segment.flags & RST:
            now.out += 1
            return
        if segment.flags & SYN:
            if now.iss is None:
                now.iss = segment.seq
            elif segment.flags in self.syns:
                now.again += 1
                now.syn_acks += bool(segment.flags & ACK)
            self.syns.add(segment.flags)
            if segment.scale is not None:
                self.scales["out"] = segment.scale
        if not (segment.flags & SYN and self.end.role == "server"):
            now.out += 1
        start = offset(segment.seq, now.iss, now.nxt) if now.iss is not None else 0
        stop = start + segment.length
        if segment.length and not segment.flags & SYN and start < now.nxt and stop > now.una:
            now.again += 1
        if segment.length:
            # With timestamps what was sent again is measured, too, from any of the times.
            self.outstanding.setdefault(stop, []).append(segment.t)
        if stop > now.nxt:
            now.nxt = stop
            if segment.flags & FIN:
                now.fin_out = start + segment.size
        scale = 0 if segment.flags & SYN else self.scaling("out")
        now.advertised = segment.window << scale

    def scaling(self, way):
        return self.scales[way] if len(self.scales) == 2 else 0

    def came(self, now, segment):
        now.device = segment.device
        now.into += 1
        if segment.flags & SYN:
            now.window = segment.window
            if now.irs is None:
                now.irs = segment.seq
                now.rcv = 1
            if segment.scale is not None:
                self.scales["in"] = segment.scale
        if segment.flags & RST:
            return
        if segment.flags & ACK and now.iss is not None:
            self.acknowledged(now, segment)
        if now.irs is not None and segment.length:
            self.payload(now, segment)

    def acknowledged(self, now, segment):
        ack = offset(segment.ack, now.iss, now.una)
        seq = offset(segment.seq, now.irs, now.rcv) if now.irs is not None else 0
        if ack > now.nxt:
            return
        window = segment.window << (0 if segment.flags & SYN else self.scaling("in"))
        # tcp_ack_update_window()
        if now.window is None or segment.flags & SYN or ack > now.una or ack == now.una and (
                seq > self.updated or seq == self.updated and (window > now.window or not window)):
            now.window = window
            self.updated = seq
        if ack > now.una:
            until = max(segment.t, self.end.machine.handshake_end()) if self.end.role == "server" and not now.una else segment.t
            samples = [until - sent for stop, times in self.outstanding.items() if stop <= ack for sent in times]
            for sample in samples:
                now.fastest = sample if now.fastest is None else min(now.fastest, sample)
                now.slowest = sample if now.slowest is None else max(now.slowest, sample)
            self.outstanding = {stop: times for stop, times in self.outstanding.items() if stop > ack}
            now.una = ack

    def payload(self, now, segment):
        start = offset(segment.seq, now.irs, now.rcv) + bool(segment.flags & SYN)
        stop = start + segment.size
        if stop > self.islands.get(start, (0, 0))[0] or segment.flags & FIN:
            self.islands[start] = stop, bool(segment.flags & FIN)
        for start in sorted(self.islands):
            stop, fin = self.islands[start]
            if start > now.rcv:
                break
            now.rcv = max(now.rcv, stop)
            if fin and now.rcv == stop and not now.fin_in:
                now.fin_in = stop
                now.rcv += 1
            del self.islands[start]
