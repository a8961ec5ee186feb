# SPDX-License-Identifier: Apache-2.0
"""What a process's calls do to an end: connect, shutdown, close, abort, kill, and the end of its listener."""
import errno

from pcap import FIN, SYN
from steps import EARLY, ERRNO_REASONS, MS, OPEN


def who(call):
    """The process that called, or either of two that closed at the same time."""
    return {call["pid"], *call.get("others", ())}


class Calling:
    """The part of the machine that calls drive."""

    def call_connect(self, call):
        if call["error"] in (errno.ENETUNREACH, errno.EINVAL, errno.EISCONN):
            return
        sent = [s.t for s in self.end.segments if s.out and s.flags & SYN][:1]
        self.step("syn_sent", call["t0"], min([call["t1"], *sent]), {call["pid"]})
        if call["error"] == errno.EADDRNOTAVAIL:
            self.step("closed", call["t0"], call["t1"], {call["pid"]}, {"no_port"}, cause="no port")

    def call_recv(self, call):
        self.read += call["got"]

    def call_wait(self, call):
        self.noticed = call["t0"]

    def call_shutdown(self, call):
        if call["error"]:
            return
        if call["how"] in (0, 2):
            self.is_shut = True
        if call["how"] in (1, 2):
            self.send_fin(call, "shutdown")

    def send_fin(self, call, how):
        new = {"established": "fin_wait_1", "syn_received": "fin_wait_1", "close_wait": "last_ack"}.get(self.state)
        if new:
            fin = [s.t for s in self.end.segments if s.out and s.flags & FIN][:1]
            self.step(new, call["t0"], min([call["t1"], *[t for t in fin if t >= call["t0"]]]), who(call), cause=how)

    def call_close(self, call):
        low, high, by = call["t0"], call["t1"], who(call)
        if self.state == "syn_sent":
            self.step("closed", low, high, by, {"aborted"}, cause="close in SYN-SENT")
        elif self.state in OPEN and self.unread() > 0:
            self.step("closed", low, high, by, {"aborted"}, cause="unread at close", fact="tcp_abort_on_close")
        elif self.state in OPEN and self.end.socket.linger:
            self.step("closed", low, high, by, {"aborted"}, cause="linger 0", fact="linger")
        else:
            self.send_fin(call, "close")
        self.is_orphan = self.is_shut = True
        self.orphaned = high

    def call_disconnect(self, call):
        if self.state in OPEN + ("syn_sent",):
            self.step("closed", call["t0"], call["t1"], {call["pid"]}, {"aborted"}, cause="disconnect", fact="disconnect")

    def call_kill(self, call):
        if self.state in OPEN + ("syn_sent",):
            self.step("closed", call["t0"], call["t1"], {call["pid"]}, {"killed"}, cause="killed", fact="killed")

    def call_unlisten(self, call):
        if self.state in ("established", "close_wait"):
            self.step("closed", call["t0"], call["t1"], {*who(call), None}, {"unaccepted"}, cause="unaccepted")
        elif self.state == "syn_received" and self.request_end() < call["t0"]:
            self.request_runs_out()
        elif self.state == "syn_received":
            self.step("closed", call["t0"], call["t1"] + 100 * MS, {*who(call), None}, {"unaccepted", "unknown", "aborted"},
                      cause="request ended with its listener", optional=True, silent=True)

    def request_end(self):
        """When the timer of a half-open request has run out: 1, 2 and 4 s with tcp_synack_retries of 2."""
        return self.syn_ack_first + 7000 * MS

    def request_runs_out(self):
        again = sum(1 for s in self.end.segments if s.out and s.flags & SYN) > 1
        self.step("closed", self.request_end() - 100 * MS, self.request_end() + 2000 * MS, {None}, {"timeout"}, cause="request timer",
                  silent=True, optional=not again)

    def call_error(self, call):
        """SO_ERROR reports what no segment has: a timer, or an ICMP error."""
        if not call["error"] or self.state in ("closed", "time_wait"):
            return
        last = max([s.t for s in self.end.segments if s.t <= call["t0"]] + [self.steps[-1].low if self.steps else 0])
        icmp = [e.t for e in self.end.errors if e.t <= call["t0"]]
        low = max([last] + icmp[-1:]) if call["error"] == errno.ETIMEDOUT else (icmp or [last])[0]
        self.step("closed", low - EARLY, getattr(self, "noticed", call["t1"]), {None},
                  ERRNO_REASONS.get(call["error"], {"unknown"}), cause=f"SO_ERROR {errno.errorcode[call['error']]}")
