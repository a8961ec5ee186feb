# SPDX-License-Identifier: Apache-2.0
"""A transition with the earliest and the latest time it can have, who can have made it, and why; and what bounds are made of."""
import errno

from pcap import MASK

MS = 1_000_000
EARLY = 60_000  # a capture's stamp may lie this far behind what it stamps
LATE = 60 * MS  # and what a segment does may come this much later on a loaded machine
ANSWERED = 300_000  # an ACK may leave before the state changes, as with CLOSING
TIME_WAIT = 60_000 * MS
OPEN = ("established", "close_wait", "fin_wait_1", "fin_wait_2", "closing", "last_ack", "syn_received")
ERRNO_REASONS = {errno.ETIMEDOUT: {"timeout"}, errno.ECONNREFUSED: {"refused"}, errno.EHOSTUNREACH: {"unreachable"},
                 errno.ENETUNREACH: {"unreachable"}, errno.EACCES: {"prohibited"}, errno.EPERM: {"prohibited"},
                 errno.ECONNRESET: {"reset_received"}, errno.EPIPE: {"reset_received"}, errno.ECONNABORTED: {"killed"},
                 errno.ENOPROTOOPT: {"unreachable"}}


class Step:
    """A transition that must have happened between `low` and `high`, or may have, if it is `optional`."""

    def __init__(self, old, new, low, high, by, reasons=(), **more):
        self.old, self.new, self.low, self.high = old, new, low, high
        self.by = by
        self.reasons = set(reasons)
        self.optional = more.get("optional", False)
        self.cause = more.get("cause", "")
        self.silent = more.get("silent", False)  # no kernel event reports it
        self.fact = more.get("fact")
        self.segment = more.get("segment")
        self.again = more.get("again", False)
        self.row = None

    def __repr__(self):
        return f"{self.old}>{self.new} {self.low}..{self.high} {self.by} {sorted(self.reasons)} {self.cause}"


def before(one, other):
    """Whether a sequence number comes before another, modulo 2^32."""
    return 0 < (other - one) & MASK < 0x80000000
