# SPDX-License-Identifier: Apache-2.0
"""The numbers of a row, against the capture up to its time and what the kernel answered to TCP_INFO just before."""
from cells import JITTER
from steps import MS
from pcap import LOOPBACK, MASK, RST
from who import Judge as Who


class Judge(Who):
    def views(self, row, end, step=None):
        """What had been captured surely, and at most, when the row was made; with `step` without what its segment brought."""
        # On loopback a segment is captured once, when it comes in; it has left a little earlier.
        late = early = MS if end.segments and end.segments[0].device == LOOPBACK else JITTER
        if step is not None and step.segment is not None:
            late = max(late, row.t - step.segment.t + 1)
        for call in end.socket.calls if end.socket else ():
            if call["t0"] <= row.t <= call["t1"] + JITTER:
                late = max(late, row.t - call["t0"] + JITTER)  # what comes during a call waits for its end
        return end.wire.at(row.t - late), end.wire.at(row.t + early + (MS if row["source"] == "derived" else 0))

    def has_numbers(self, row, step, end):
        """A listener, a request and a socket that connects have no connection's numbers yet."""
        return end.role != "listener" and step.new != "syn_sent" and (step.old, step.new) != ("listen", "syn_received")

    def number(self, value, row, step, end, low, high, fresh=("",)):
        if not self.has_numbers(row, step, end) and value in fresh:
            return "right", ""
        return self.span(value, min(low, high), max(low, high))

    def measured(self, value, row, step, end, name):
        low, high = self.views(row, end, step if name == "payload_in" else None)
        return self.number(value, row, step, end, getattr(low, name), getattr(high, name), ("", "0"))

    def of_bytes_sent(self, value, row, step, end):
        return self.measured(value, row, step, end, "payload_out")

    def of_bytes_received(self, value, row, step, end):
        return self.measured(value, row, step, end, "payload_in")

    def of_retransmits(self, value, row, step, end):
        return self.measured(value, row, step, end, "again")

    def of_syn_ack_retransmits(self, value, row, step, end):
        if end.role != "server":
            return self.one_of(value, [""])
        return self.measured(value, row, step, end, "syn_acks")

    def of_segments_sent(self, value, row, step, end):
        return self.measured(value, row, step, end, "out")

    def of_segments_received(self, value, row, step, end):
        low, high = self.views(row, end)
        extra = 0
        if end.role == "server":
            # What a request took before its handshake ended is not in its child's count.
            extra = max(0, end.wire.at(end.machine.handshake_end() - 1).into - 1)
        return self.number(value, row, step, end, max(0, low.into - extra), high.into, ("", "0"))

    def absolute(self, value, row, step, end, name, base):
        """A sequence number within the range, modulo 2^32."""
        if not self.has_numbers(row, step, end) and value == "":
            return "right", ""
        low, high = self.views(row, end, step if name == "rcv" else None)
        start = getattr(high, base)
        if start is None:
            return self.one_of(value, ["", "0"])
        one, other = getattr(low, name), getattr(high, name)
        if value == "":
            return "unknown", (start + other) & MASK
        distance = (int(value) - start) & MASK
        wanted = f"{(start + one) & MASK}..{(start + other) & MASK}"
        return "right" if min(one, other) <= distance <= max(one, other) else "wrong", wanted

    def of_send_unacknowledged(self, value, row, step, end):
        return self.absolute(value, row, step, end, "una", "iss")

    def of_send_next(self, value, row, step, end):
        return self.absolute(value, row, step, end, "nxt", "iss")

    def of_receive_next(self, value, row, step, end):
        return self.absolute(value, row, step, end, "rcv", "irs")

    def of_initial_send_sequence(self, value, row, step, end):
        return self.initial(value, row, step, end, end.wire.at(1 << 63).iss)

    def of_initial_receive_sequence(self, value, row, step, end):
        return self.initial(value, row, step, end, end.wire.at(row.t + JITTER).irs)

    def initial(self, value, row, step, end, wanted):
        if value == "" and (not self.has_numbers(row, step, end) or row["state_old"] == "syn_sent" and wanted is None):
            return "right", ""
        if wanted is None:
            return self.one_of(value, [""])
        return self.one_of(value, [wanted])

    def of_unread_bytes(self, value, row, step, end):
        low, high = self.views(row, end, step)
        read = [c for c in (end.socket.calls if end.socket else ()) if c["op"] == "recv"]
        surely = sum(c["got"] for c in read if c["t1"] <= row.t - JITTER)
        maybe = sum(c["got"] for c in read if c["t0"] <= row.t + JITTER)
        return self.number(value, row, step, end, max(0, low.payload_in - maybe), high.payload_in - surely, ("", "0"))

    def written(self, end, row):
        sends = [c for c in (end.socket.calls if end.socket else ()) if c["op"] == "send"]
        surely = sum(max(0, c.get("result", 0)) for c in sends if c["t1"] <= row.t - JITTER)
        return surely, sum(max(0, c.get("result", 0)) for c in sends if c["t0"] <= row.t + JITTER)

    def of_unsent_bytes(self, value, row, step, end):
        low, high = self.views(row, end)
        surely, maybe = self.written(end, row)
        return self.number(value, row, step, end, max(0, surely - high.payload_out), max(0, maybe - low.payload_out), ("", "0"))

    def of_unacknowledged_bytes(self, value, row, step, end):
        low, high = self.views(row, end)
        if low.una == high.una and low.nxt == high.nxt:
            return self.number(value, row, step, end, high.unacknowledged, high.unacknowledged, ("", "0"))
        floor = max(0, low.payload_out - (high.una - 1))
        return self.number(value, row, step, end, floor, max(low.unacknowledged, high.payload_out - max(low.una - 1, 0)), ("", "0"))

    def of_send_window_bytes(self, value, row, step, end):
        low, high = self.views(row, end, step if step.old == "syn_received" else None)
        if not self.has_numbers(row, step, end) or high.window is None:
            return self.one_of(value, ["", "0"])
        info = self.answered(row, end)
        if info and value == str(info["snd_wnd"]):
            return "right", ""  # Linux scales the window of a SYN ACK that crosses a SYN
        return self.one_of(value, {m.window for m in self.meanwhile(end, low, high)})

    @staticmethod
    def meanwhile(end, low, high):
        """All moments from one to the other."""
        return [low, high] + [m for m in end.wire.moments if low.into + low.out <= m.into + m.out <= high.into + high.out]

    def of_receive_window_bytes(self, value, row, step, end):
        low, high = self.views(row, end)
        if not self.has_numbers(row, step, end) or high.advertised is None:
            return self.one_of(value, ["", "0"])
        if value == "":
            return "unknown", high.advertised
        # The segment has it rounded to the scale; what came since has used some of it up, or an ACK is yet to announce more.
        grain = 1 << end.wire.scaling("out")
        near = any(-grain < int(value) - known < grain for known in {m.advertised for m in self.meanwhile(end, low, high)} - {None})
        return ("right" if near else "wrong"), [low.advertised, high.advertised]

    def answered(self, row, end):
        """TCP_INFO from just before, if nothing came or went since."""
        if row["source"] != "event":
            return None
        infos = [c for c in (end.socket.calls if end.socket else ()) if c["op"] == "info" and c["t1"] <= row.t]
        if infos and not end.wire.between(infos[-1]["t0"] - JITTER, row.t):
            return infos[-1]["info"]
        return None

    def asked(self, value, row, step, end, name, low, high):
        if not self.has_numbers(row, step, end) and value in ("", "0"):
            return "right", ""
        info = self.answered(row, end)
        if info and value != "":
            return self.one_of(value, [info[name]])
        return self.span(value, low, high)

    def of_rtt_us(self, value, row, step, end):
        low, high = self.views(row, end)
        if high.fastest is None:
            return self.one_of(value, ["", "0"]) if not self.answered(row, end) else self.asked(value, row, step, end, "rtt", 0, 0)
        return self.asked(value, row, step, end, "rtt", high.fastest // 1000 // 2 - 100, high.slowest // 1000 + 60_000)

    def of_rto_us(self, value, row, step, end):
        return self.asked(value, row, step, end, "rto", 200_000, 120_000_000)

    def of_congestion_window_packets(self, value, row, step, end):
        return self.asked(value, row, step, end, "cwnd", 1, 10 + end.wire.at(row.t + JITTER).into + end.wire.at(row.t + JITTER).out * 2)

    def of_slow_start_threshold_packets(self, value, row, step, end):
        info = self.answered(row, end)
        if info and self.has_numbers(row, step, end):
            return self.one_of(value, ["" if info["ssthresh"] >= 0x7FFFFFFF else info["ssthresh"]])
        return ("right", "") if value == "" or 1 <= int(value) < 100_000 else ("wrong", "2..")

    def of_congestion_control(self, value, row, step, end):
        if end.role == "listener" or step.old == "listen" and value == "":
            return self.one_of(value, [""])
        chosen = end.socket.options.get((6, 13)) if end.role == "client" else None
        return self.one_of(value, [bytes.fromhex(chosen).decode() if chosen else self.control])

    def of_interface_index(self, value, row, step, end):
        device = end.wire.at(row.t + JITTER).device
        if not self.has_numbers(row, step, end) or device is None:
            return self.one_of(value, ["", *([device] if device else [])])
        return self.one_of(value, [device])

    def of_receive_shutdown(self, value, row, step, end):
        if not self.has_numbers(row, step, end):
            return self.one_of(value, ["", "0"])
        shut = [c for c in (end.socket.calls if end.socket else ()) if c["op"] == "shutdown" and c["how"] in (0, 2)]
        if end.socket and end.socket.last_close:
            shut.append(end.socket.last_close)
        low, high = self.views(row, end, step)
        surely = bool(low.fin_in) or any(c["t1"] <= row.t for c in shut)
        maybe = bool(high.fin_in) or any(c["t0"] <= row.t for c in shut)
        if step.new == "closed" and step.cause not in ("ACK of FIN",):
            return self.one_of(value, ["0", "1"])  # the end of a socket shuts down both ways
        if step.new == "fin_wait_1":
            surely = maybe = step.cause == "close" or any(c["t0"] <= row.t <= c["t1"] + JITTER or c["t1"] < row.t for c in shut)
        return self.one_of(value, {str(int(surely)), str(int(maybe))})

    def of_socket_address(self, value, row, step, end):
        known = {r["socket_address"] for r in end.rows if r["socket_address"]}
        good = len(value) == 16 and value.startswith("ffff") and len(known) == 1
        return "right" if good else "unknown" if not value else "wrong", sorted(known)

    RESETS = {"tcp_abort_on_close": ["tcp_abort_on_close"], "linger": ["tcp_state", "tcp_abort_on_linger"],
              "disconnect": ["tcp_disconnect_with_data", "tcp_state"], "killed": ["tcp_state", "tcp_abort_on_close", "not_specified"],
              "data after close": ["tcp_abort_on_data", "tcp_timewait_socket"]}

    def of_reset_reason(self, value, row, step, end):
        """Only of a RST that this end sent at that step."""
        sent = [s for s in end.segments if s.out and s.flags & RST and step.low <= s.t <= step.high + 5 * MS]
        if step.new == "closed" and sent and step.fact in self.RESETS:
            return self.one_of(value, self.RESETS[step.fact])
        if sent and step.cause.startswith(("SO_ERROR", "orphan timer", "timer", "unaccepted")):
            return "right", ""  # a timer's RST, and a listener's
        return self.one_of(value, [""])
