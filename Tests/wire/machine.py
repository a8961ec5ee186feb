# SPDX-License-Identifier: Apache-2.0
"""Replays an end's segments and calls through the state machine of RFC 9293 as Linux has it.

The result is a list of steps: each transition with the earliest and the latest time it can have, who can have made it, and why.
"""
from calling import Calling, who
from pcap import ACK, FIN, MASK, RST, SYN
from steps import ANSWERED, EARLY, LATE, MS, TIME_WAIT, Step, before


class Machine(Calling):
    def __init__(self, end, calls, finish):
        self.end = end
        self.calls = calls
        self.finish = finish
        self.state = "closed"
        self.steps = []
        self.iss = self.irs = None
        self.una = self.nxt = self.rcv = None
        self.fin_out = self.fin_in = None
        self.pending = {}
        self.read = 0
        self.received = 0
        self.is_shut = False
        self.is_orphan = False
        self.deferred = bool(end.listener and end.listener.options.get((6, 9)))
        self.time_wait_since = None

    def step(self, new, low, high, by, reasons=(), **more):
        self.steps.append(Step(self.state, new, low, high, by, reasons, **more))
        self.state = new

    def run(self):
        end = self.end
        if end.role == "listener":
            self.listener()
        else:
            if end.role == "server":
                self.state = "listen"
            for _, _, what, thing in self.timeline():
                getattr(self, what)(thing)
            self.run_out()
        end.steps = [s for s in self.steps if s.low < self.finish]
        end.earlier = None
        end.history = list(self.steps)
        for s in end.steps:
            s.optional = s.optional or s.high > self.finish
        return self

    def listener(self):
        origin, socket = self.end.origin, self.end.socket
        self.step("listen", origin["t0"], origin["t1"], {origin["pid"]})
        if socket.last_close:
            call = socket.last_close
            self.step("closed", call["t0"], call["t1"], who(call), ("", "aborted", "unknown"))

    def timeline(self):
        """Segments and calls in the order in which they took effect."""
        found = []
        for index, segment in enumerate(self.end.segments):
            found.append((segment.t, index, "segment", segment))
        for call in self.end.socket.calls if self.end.socket else ():
            if call["op"] in ("connect", "shutdown", "disconnect", "kill", "recv", "error", "wait"):
                found.append((self.effect(call), -1, "call_" + call["op"], call))
        if self.end.socket and self.end.socket.last_close:
            call = self.end.socket.last_close
            found.append((self.effect(call), -1, "call_close", call))
        if self.end.listener and self.end.listener.last_close and not self.end.socket:
            call = self.end.listener.last_close
            found.append((self.effect(call), -1, "call_unlisten", call))
        if self.end.role == "server" and self.end.flow.next:
            first = self.end.flow.next.segments[0]
            found.append((first.t, 0, "taken_over", first))
        for error in self.end.errors:
            found.append((error.t, 0, "icmp", error))
        found = [item for item in found if item[0] <= self.finish]
        found.sort(key=lambda item: item[:2])
        return self.crossed(found)

    def effect(self, call):
        """A call that sends a FIN, RST or SYN took effect just before that; others somewhere in between."""
        if call["op"] in ("recv", "error", "wait"):
            return call["t1"] if call["op"] == "recv" else call["t0"]
        wanted = SYN if call["op"] == "connect" else FIN | RST
        for segment in self.end.segments:
            if segment.out and segment.flags & wanted and call["t0"] <= segment.t <= call["t1"] + MS // 5:
                return segment.t - 1
        return (call["t0"] + call["t1"]) // 2 if call["op"] != "connect" else call["t0"]

    def crossed(self, found):
        """A FIN that came in while this end's FIN was on its way out, and isn't acknowledged by it, was handled after it."""
        for at, (moment, _, what, thing) in enumerate(found):
            if what == "segment" and not thing.out and thing.flags & FIN:
                for later in range(at + 1, min(at + 6, len(found))):
                    other = found[later]
                    if (other[2] == "segment" and other[3].out and other[3].flags & FIN and other[0] - moment < 5 * MS
                            and other[3].ack != thing.end):
                        found.insert(later, found.pop(at))
                        return found
        return found

    def icmp(self, error):
        pass

    def unread(self):
        return self.received - self.read

    # Segments

    def segment(self, segment):
        had = len(self.steps)
        self.handle(segment)
        for step in self.steps[had:]:
            step.segment = step.segment or segment

    def handle(self, segment):
        (self.segment_out if segment.out else self.segment_in)(segment)

    def segment_out(self, segment):
        if segment.flags & RST:
            return
        if segment.flags & SYN and self.iss is None:
            self.iss = segment.seq
            self.una = segment.seq
            self.nxt = segment.end
            if self.state == "listen":
                self.syn_ack_first = segment.t
                asked = [s.t for s in self.end.segments if not s.out and s.flags & SYN][0]
                again = sum(1 for s in self.end.segments if s.out and s.flags & SYN) > 1
                lasts = bool(self.end.socket) or self.was_established()
                self.step("syn_received", asked - EARLY, self.handshake_end() + LATE, {None}, cause="SYN",
                          optional=not lasts and not again, silent=not lasts, again=again)
        if before(self.nxt if self.nxt is not None else segment.seq, segment.end):
            self.nxt = segment.end
        if segment.flags & FIN:
            self.fin_out = segment.end

    def was_established(self):
        """Whether a server's request became a connection although nobody accepted it."""
        unlisten = self.end.listener and self.end.listener.last_close
        for segment in self.end.segments:
            if segment.out and not segment.flags & SYN:
                if not segment.flags & RST or unlisten and unlisten["t0"] <= segment.t <= unlisten["t1"] + MS:
                    return True
        return False

    def handshake_end(self):
        """The segment that completes a server's handshake: the first that fits after the last SYN-ACK."""
        last = max(s.t for s in self.end.segments if s.out and s.flags & SYN)
        for s in self.end.segments:
            if s.t > last and not s.out and s.flags & ACK and not s.flags & (SYN | RST) and (s.size or not self.deferred):
                return s.t
        return last

    def segment_in(self, segment):
        state = self.state
        if state in ("closed", "listen") and not (state == "listen" and segment.flags & SYN):
            return
        if self.is_gone(segment):
            return
        if segment.flags & RST:
            self.reset(segment)
        elif segment.flags & SYN:
            self.syn(segment)
        elif state == "syn_received" and self.end.role == "server":
            self.completes(segment)
        elif state not in ("syn_sent", "time_wait"):
            self.take(segment)

    def is_gone(self, segment):
        """Whether this is answered as by a host without such a socket: a timer has ended it."""
        if not self.is_orphan or self.state not in ("fin_wait_1", "fin_wait_2", "closing", "last_ack") or segment.flags & RST:
            return False
        if segment.size and before(self.rcv, (segment.seq + segment.size) & MASK):
            return False  # a RST is the answer of an orphan, too
        if self.state in ("last_ack", "closing") and segment.ack == self.fin_out:
            return False  # it ends with this
        following = self.end.segments[self.end.segments.index(segment) + 1:][:1]
        if not (following and following[0].out and following[0].flags & RST and following[0].seq == segment.ack):
            return False
        last = max([s.t for s in self.end.segments if s.t < segment.t] + [self.steps[-1].low])
        self.step("closed", last, segment.t, {None}, {"timeout"}, cause="timer", silent=self.state == "fin_wait_2")
        return True

    def syn(self, segment):
        if self.irs is None:
            self.irs = segment.seq
            self.rcv = segment.end
        if self.state != "syn_sent":
            if self.state == "syn_received" and segment.flags & ACK:
                self.take(segment)
            return
        if segment.flags & ACK:
            if segment.ack == self.nxt:
                self.una = segment.ack
                self.step("established", segment.t - EARLY, self.answer(segment), {None}, cause="SYN ACK")
        else:
            self.step("syn_received", segment.t - EARLY, self.answer(segment), {None}, cause="simultaneous open")

    def answer(self, segment):
        """What comes of a segment has happened when something is sent that acknowledges it."""
        for later in self.end.segments:
            if later.out and later.t > segment.t and later.flags & ACK and later.ack == segment.end and segment.length:
                return min(later.t + ANSWERED, segment.t + LATE)
        return segment.t + LATE

    def completes(self, segment):
        if segment.t < self.handshake_end() or not segment.flags & ACK or segment.ack != self.nxt:
            return
        if not self.end.socket and not self.was_established():
            return
        self.una = segment.ack
        self.step("established", segment.t - EARLY, segment.t + LATE, {None}, cause="ACK of SYN ACK")
        self.take(segment)

    def reset(self, segment):
        moment = segment.t - EARLY, segment.t + LATE
        if self.state == "syn_sent":
            if segment.flags & ACK and segment.ack == self.nxt:
                self.step("closed", *moment, {None}, {"refused"}, cause="RST in SYN-SENT")
        elif self.state == "time_wait" and segment.seq == self.rcv:
            self.step("closed", *moment, {None}, {"reset_received", "unknown"}, cause="RST in TIME-WAIT", silent=True)
        elif self.state == "syn_received" and self.end.role == "server":
            self.step("closed", moment[0], moment[1] + 1500 * MS, {None}, {"reset_received", "unknown"},
                      cause="RST for a request", optional=True, silent=True)
        elif self.rcv is not None and segment.seq == self.rcv:
            self.step("closed", *moment, {None}, {"reset_received"}, cause=f"RST in {self.state}",
                      silent=self.state == "fin_wait_2" and self.is_orphan)

    def take(self, segment):
        """Acknowledgement, payload and FIN, in this order (RFC 9293, section 3.10.7.4)."""
        if segment.flags & ACK and self.una is not None and before(self.una, segment.ack) and not before(self.nxt, segment.ack):
            self.una = segment.ack
            self.acknowledged(segment)
        if self.state == "syn_received" and self.una == self.nxt:
            self.step("established", segment.t - EARLY, segment.t + LATE, {None}, cause="ACK of SYN")
        if segment.size or segment.flags & FIN:
            self.payload(segment)

    def acknowledged(self, segment):
        moment = segment.t - EARLY, segment.t + LATE
        if self.state == "syn_received":
            self.step("established", *moment, {None}, cause="ACK of SYN")
        if self.fin_out is None or self.una != self.fin_out:
            return
        if self.state == "fin_wait_1":
            self.step("fin_wait_2", *moment, {None}, cause="ACK of FIN")
            if self.is_orphan and self.calls.overflows(self.end.side, segment.t) and not segment.flags & FIN:
                self.step("closed", *moment, {None}, {"overflow"}, cause="no room for a minisock", silent=True)
        elif self.state == "closing":
            self.begin_time_wait(segment, "ACK of FIN")
        elif self.state == "last_ack":
            self.step("closed", *moment, {None}, {"fin"}, cause="ACK of FIN")

    def payload(self, segment):
        if self.rcv is None:
            return
        start, stop = segment.seq, (segment.seq + segment.size) & MASK
        if segment.size and before(self.rcv, stop) and self.is_shut and self.state in ("fin_wait_1", "fin_wait_2"):
            self.step("closed", segment.t - EARLY, segment.t + LATE, {None}, {"reset_sent"}, cause="payload after close",
                      silent=self.state == "fin_wait_2" and self.is_orphan, fact="data after close")
            return
        self.pending[start] = max(self.pending.get(start, (0, False)), (segment.size, bool(segment.flags & FIN)))
        moved = True
        while moved:
            moved = False
            for start, (size, fin) in sorted(self.pending.items()):
                stop = (start + size) & MASK
                if before(self.rcv, start):
                    continue
                if before(self.rcv, stop):
                    self.received += (stop - self.rcv) & MASK
                    self.rcv = stop
                    moved = True
                if fin and self.rcv == stop:
                    self.rcv = (stop + 1) & MASK
                    self.pending.clear()
                    self.fin(segment)
                    return
                del self.pending[start]
                break

    def fin(self, segment):
        if self.fin_in is not None:
            return
        self.fin_in = self.rcv
        moment = segment.t - EARLY, self.answer_of(self.rcv, segment)
        if self.state == "established":
            self.step("close_wait", *moment, {None}, cause="FIN")
        elif self.state == "fin_wait_1":
            self.step("closing", *moment, {None}, cause="FIN")
        elif self.state == "fin_wait_2":
            self.begin_time_wait(segment, "FIN")

    def answer_of(self, number, segment):
        for later in self.end.segments:
            if later.out and later.t > segment.t and later.flags & ACK and later.ack == number:
                return min(later.t + ANSWERED, segment.t + LATE)
        return segment.t + LATE

    def begin_time_wait(self, segment, cause):
        if self.calls.overflows(self.end.side, segment.t):
            self.step("time_wait", segment.t - EARLY, segment.t + LATE, {None}, {"fin"}, cause=f"{cause}, refused")
            self.step("closed", segment.t - EARLY, segment.t + 1000 * MS, {None}, {"overflow"}, cause="no room for TIME-WAIT", silent=True)
            return
        # A FIN in the segment that acknowledges ours finds the whole socket; later the orphan is a minisock.
        together = self.steps[-1].new == "fin_wait_2" and self.steps[-1].low == segment.t - EARLY
        self.step("time_wait", segment.t - EARLY, segment.t + LATE, {None}, {"fin"}, cause=cause,
                  silent=self.is_orphan and self.state == "fin_wait_2" and not together)
        again = [s.t for s in self.end.segments if not s.out and s.t > segment.t and s.flags & FIN]
        self.time_wait_since = segment.t, (again or [segment.t])[-1]

    def taken_over(self, segment):
        if self.state == "time_wait" and segment.t > self.time_wait_since[1] + TIME_WAIT + 6000 * MS:
            self.run_out()
        elif self.state == "time_wait" and segment.t > self.time_wait_since[0] + TIME_WAIT - 10 * MS:
            self.step("closed", self.time_wait_since[0] + TIME_WAIT - 10 * MS, segment.t + LATE, {None}, {"fin", "reused"},
                      cause="timer or reused", silent=True)
        elif self.state == "time_wait":
            self.step("closed", segment.t - EARLY, segment.t + LATE, {None}, {"reused"}, cause="reused", silent=True)

    def run_out(self):
        """Timers that nobody can report: TIME-WAIT, orphans, half-open requests."""
        last = max([s.t for s in self.end.segments], default=0)
        linger2 = self.end.socket and self.end.socket.options.get((6, 8))
        if self.state == "time_wait":
            low, high = self.time_wait_since
            self.step("closed", low + TIME_WAIT - 10 * MS, high + TIME_WAIT + 6000 * MS, {None}, {"fin"}, cause="timer", silent=True)
        elif self.state == "fin_wait_2" and self.is_orphan:
            since = max(self.orphaned, self.steps[-1].low)
            wait = (linger2 or 60) * 1000 * MS
            self.step("closed", since + wait - 10 * MS, since + wait + wait // 8 + 6000 * MS, {None}, {"timeout"},
                      cause="FIN-WAIT-2 timer", silent=True)
        elif self.state in ("fin_wait_1", "last_ack", "closing") and self.is_orphan:
            self.step("closed", last, last + 60_000 * MS, {None}, {"timeout"}, cause="orphan timer")
            self.steps[-1].optional = self.finish < last + 20_000 * MS
        elif self.state == "syn_received" and self.end.role == "server":
            self.request_runs_out()


def replay(ends, calls, finish):
    for end in ends:
        end.machine = Machine(end, calls, finish).run()
