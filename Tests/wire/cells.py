# SPDX-License-Identifier: Apache-2.0
"""Compares every cell of every row of the trace with what the wire and the calls say."""
import datetime

import rows as product
from steps import EARLY, LATE, MS, Step
from views import open_state
from wire import Wire

JITTER = 40_000


OF_A_LOOK = ("connection_id", "role", "netns", "network_type", "local_address", "local_port", "peer_address", "peer_port", "user_id",
             "cgroup_id", "process_pid", "process_name", "owner_kind")


class Judge:
    """Facts of one run."""

    def __init__(self, ends, calls, facts, tally):
        self.ends = ends
        self.calls = calls
        self.netns = facts["netns"]
        self.control = facts["control"]
        self.cgroups = {int(pid): inode for pid, inode in facts["cgroups"].items()}
        self.begun, self.finish = facts["begun"], facts["finish"]
        self.tally = tally
        for end in ends:
            end.rows = []
            end.earlier = None
            while end.steps and end.steps[0].high < self.begun:
                end.earlier = end.steps.pop(0)  # before the tracer was there
            for step in end.steps:
                step.row = step.merged = None

    def all(self, path):
        self.everything, self.names = product.load(path)
        self.sequence()
        for row in product.join(self.ends, self.everything, self.netns):
            self.tally.add("csv", "row", "wrong", f"belongs to nothing, {row.change}", self.say(row))
        for end in self.ends:
            self.end(end)

    def gaps(self, path):
        """The recording as it was written: numbers without a gap."""
        rows, _ = product.load(path)
        for number, row in enumerate(rows, 1):
            if row["sequence"] != str(number):
                self.tally.add("csv", "sequence", "wrong", "a gap", self.say(row))
                return
        self.tally.add("csv", "sequence", "right", "")

    def of_netns_rows(self, inode):
        return [row for row in self.everything if row["netns"] == str(inode)]

    def sequence(self):
        """Events in the order of time, and both times the same."""
        latest = 0
        for number, row in enumerate(self.everything, 1):
            self.tally.check("csv", "sequence", row["sequence"], {str(number)}, "consecutive")
            if row["source"] == "event":
                self.tally.add("csv", "sequence", "right" if row.t >= latest else "wrong", "events in the order of time", self.say(row))
                latest = max(latest, row.t)
            whole, nano = divmod(row.t, 1_000_000_000)
            text = datetime.datetime.fromtimestamp(whole, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{nano:09}Z"
            self.tally.check("csv", "timestamp", row["timestamp"], {text}, "as timestamp_unix_nano")

    def say(self, row, step=None, end=None):
        return (f"#{row['sequence']} {row['timestamp'][11:]} {row['role']} {row['local_address']}:{row['local_port']}"
                f" {row['peer_address']}:{row['peer_port']} {row.change} {row['source']} {row['reason']}"
                + (f" [{end.scene}]" if end else "") + (f" {step.cause}" if step else ""))

    def end(self, end):
        left = product.align(end)
        end.wire = Wire(end)
        if not end.rows and any(not step.optional for step in end.steps):
            self.tally.add("csv", "row", "wrong", f"no rows at all: {end.role} in {end.scene}", repr(end))
            return
        for step in end.steps:
            if step.row is not None:
                self.finished_by_reader(end, step)
                self.row(end, step)
            elif step.merged is not None:
                self.merged(end, step)
            elif not step.optional:
                self.tally.add("csv", "row", "wrong", f"missing {step.old}>{step.new}, {step.cause}", f"{end!r} {step!r}")
        for row in end.rows:
            if row["state_old"] == row["state_new"]:
                self.note(end, row)
        for row in left:
            self.tally.add("csv", "row", "wrong", f"{row.change} {row['source']} {row['reason']} didn't happen", self.say(row, None, end)
                           + f"; steps: {' '.join(s.new for s in end.steps)}")

    def note(self, end, row):
        """A row from a state to itself: what a look at the socket has found, such as its owner."""
        step = Step(row["state_old"], row["state_new"], row.t, row.t, {None}, cause="a look")
        good = row["state_new"] in open_state(end, row.t - LATE, row.t + LATE) and row["source"] == "snapshot"
        self.tally.add("csv", "row", "right" if good else "wrong", f"{row.change} {row['source']} isn't its state", self.say(row, None, end))
        for name in OF_A_LOOK:
            if name in row:
                verdict, wanted = getattr(self, "of_" + name)(row[name], row, step, end)
                self.tally.add("csv", name, verdict, self.kind(name, row, step, end),
                               f"{row[name]!r}, wanted {wanted}: {self.say(row, step, end)}")
        self.tally.check("csv", "state_duration_ns", row["state_duration_ns"], {""}, "of a look", self.say(row, None, end))

    def finished_by_reader(self, end, step):
        """A process that reads descriptors, any on the machine, holds a file for a moment; a close() that comes just then is
        finished by it, as docs/states.md says."""
        row = step.row
        pid = int(row["actor_pid"] or 0)
        if row["actor_name"] == "tcpstate-trace" and pid not in self.calls.names and step.cause in (
                "close", "linger 0", "unread at close", ""):
            step.by, step.high = {pid}, max(step.high, row.t)
            end.socket.holds[pid] = [[(row.t - MS, row.t), None]]

    def merged(self, end, step):
        """A minisock's end that a reading found, with a change before it that none did."""
        row = step.merged
        self.tally.add("csv", "row", "unknown", f"{step.old}>{step.new} of a minisock, {step.cause}", repr(end))
        if step.new == "closed":
            verdict, wanted = self.of_timestamp_unix_nano(row["timestamp_unix_nano"], row, step, end)
            self.tally.add("csv", "timestamp_unix_nano", verdict, self.kind("", row, step),
                           f"{row['timestamp_unix_nano']}, wanted {wanted}: {self.say(row, step, end)}")

    def row(self, end, step):
        row = step.row
        self.tally.add("csv", "row", "right", "")
        for name in self.names:
            check = getattr(self, "of_" + name, None)
            if row[name] and name in self.words and row[name] not in self.words[name]:
                self.tally.add("csv", name, "wrong", "a word that the schema lacks", f"{row[name]}: {self.say(row, step, end)}")
            if check is None:
                self.tally.ignored[name] += 1
                continue
            verdict, wanted = check(row[name], row, step, end)
            self.tally.add("csv", name, verdict, self.kind(name, row, step, end),
                           f"{row[name]!r}, wanted {wanted}: {self.say(row, step, end)}")

    def kind(self, name, row, step, end=None):
        return ("opened before the start, " if end and end.earlier else "") + f"{row.change} {row['source']}" + (f", {step.cause}" if step.cause else "")

    # Times and identity. Each returns a verdict and what was wanted.

    @staticmethod
    def one_of(value, wanted):
        wanted = {str(one) for one in wanted}
        return "right" if value in wanted else "wrong" if value else "unknown", sorted(wanted)

    @staticmethod
    def span(value, low, high):
        if value == "":
            return "unknown", f"{low}..{high}"
        return "right" if low <= int(value) <= high else "wrong", f"{low}..{high}"

    def of_timestamp(self, value, row, step, end):
        return "right", ""  # compared with the other time already

    def of_timestamp_unix_nano(self, value, row, step, end):
        if (step.old, step.new) == ("listen", "syn_received") and row["source"] == "event":
            # The kernel reports it with the handshake's end, as docs/states.md says.
            done = end.machine.handshake_end()
            return self.span(value, done - EARLY, done + LATE)
        if (step.old, step.new) == ("listen", "syn_received"):
            return self.span(value, step.low, end.machine.syn_ack_first + 5 * MS)
        at = end.steps.index(step)
        last = end.steps[at - 1].row if at else None
        if last is not None and int(value) < last.t:
            return "wrong", f"not before the row before, {last.t}"
        if row.get("timestamp_kind") in ("at_least", "at_most"):
            return self.bound(int(value), row, step)
        grain = MS if step.silent else 0  # the kernel's stamp of a minisock has milliseconds
        return self.span(value, step.low - grain, step.high)

    @staticmethod
    def bound(value, row, step):
        """A time that says itself that it is a bound has to be one, and no further off than it says."""
        error = int(row["timestamp_error_ns"]) if row.get("timestamp_error_ns") else None
        if row["timestamp_kind"] == "at_least":
            good = value <= step.high and (error is None or value + error >= step.low)
        else:
            good = value >= step.low and (error is None or value - error <= step.high)
        if good and error is not None and error <= 10 * MS:
            return "right", ""
        return "unknown" if good else "wrong", f"{step.low}..{step.high}"

    def of_timestamp_kind(self, value, row, step, end):
        return self.one_of(value, ["exact"] if row["source"] == "event" else ["exact", "at_least", "at_most"])

    def of_timestamp_error_ns(self, value, row, step, end):
        good = value == "" or value.isdigit() and row.get("timestamp_kind") != ""
        return "right" if good else "wrong", "empty, or how far the time is off"

    def of_fin_call(self, value, row, step, end):
        sent = [s.cause for s in end.history[:end.history.index(step) + 1] if s.cause in ("close", "shutdown")]
        return self.one_of(value, sent[:1] or [""])

    def of_sequence(self, value, row, step, end):
        return "right", ""

    def of_connection_id(self, value, row, step, end):
        good = len(value) == 16 and not set(value) - set("0123456789abcdef") and value == end.identity
        return "right" if good else "wrong", "the same as before"

    def of_role(self, value, row, step, end):
        if value == "unknown" and end.earlier:
            return "unknown", end.role
        return self.one_of(value, [end.role])

    def of_netns(self, value, row, step, end):
        return self.one_of(value, [self.netns[end.side]])

    def of_network_type(self, value, row, step, end):
        return self.one_of(value, ["ipv6" if ":" in end.local[0] else "ipv4"])

    def of_local_address(self, value, row, step, end):
        if end.role == "listener":
            return self.one_of(value, {"0.0.0.0", end.local[0]} if ":" not in end.local[0] else {end.local[0]})
        return self.one_of(value, [end.local[0]])

    def of_local_port(self, value, row, step, end):
        if value == "" and step.new == "syn_sent":
            return "unknown", end.local[1]
        if step.cause == "no port":
            return self.one_of(value, ["", "0"])
        return self.one_of(value, [end.local[1]])

    def of_peer_address(self, value, row, step, end):
        return self.one_of(value, [end.peer[0]] if end.peer else [""])

    def of_peer_port(self, value, row, step, end):
        return self.one_of(value, [end.peer[1]] if end.peer else [""])

    def of_state_old(self, value, row, step, end):
        return self.one_of(value, [step.old])

    def of_state_new(self, value, row, step, end):
        return self.one_of(value, [step.new])

    def of_state_duration_ns(self, value, row, step, end):
        """What the row says has to be true of the wire's times, and of the rows' own."""
        at = end.steps.index(step)
        last = end.steps[at - 1] if at else end.earlier
        if last is None:
            return self.one_of(value, [""])
        low, high = max(0, step.low - last.high), step.high - last.low
        if step.old == "syn_received" and end.role == "server":
            sent = end.machine.syn_ack_first
            low, high = max(0, step.low - sent - MS), step.high - sent + MS
        if value == "":
            return "unknown", f"{low}..{high}"
        if row["duration_kind"] == "at_least":
            return ("right" if int(value) <= high else "wrong"), f"<= {high}"
        if last.row is not None and step.old != "syn_received" and int(value) > 0:
            distance = row.t - last.row.t
            if abs(distance - int(value)) > MS + distance // 1000:
                return "wrong", f"{distance} from row to row"
        return self.span(value, low, high)

    def of_duration_kind(self, value, row, step, end):
        if row["state_duration_ns"] == "":
            return self.one_of(value, [""])
        if value == "at_least":
            return "unknown", "exact"
        return self.one_of(value, ["exact"])

    def of_source(self, value, row, step, end):
        if step.cause in ("payload after close", "no room for a minisock", "no room for TIME-WAIT"):
            return self.one_of(value, ["event", "derived"])  # the kernel reports the RST that answers it
        if step.silent:
            return self.one_of(value, ["derived", "snapshot"])
        if step.again:
            return self.one_of(value, ["event", "derived"])  # a SYN-ACK sent again makes the request visible
        return self.one_of(value, ["event"])

    # Reasons

    def of_reason(self, value, row, step, end):
        if step.new not in ("closed", "time_wait") or end.role == "listener":
            return self.one_of(value, ["", *step.reasons] if end.role == "listener" else [""])
        if value == "unknown" and "unknown" not in step.reasons:
            return "unknown", sorted(step.reasons)
        return self.one_of(value, step.reasons)

    def of_closer(self, value, row, step, end):
        """Which end sent its FIN first: known from the first step that is a FIN's."""
        changes = [(s.old, s.new) for s in end.history[:end.history.index(step) + 1]]
        if ("established", "close_wait") in changes:
            return self.one_of(value, ["passive"])
        crossed = any(new == "closing" for _, new in changes)
        if any(new == "fin_wait_1" for _, new in changes):
            return self.one_of(value, ["both"] if crossed else ["active"])
        return self.one_of(value, [""])
