# SPDX-License-Identifier: Apache-2.0
"""Compares each step of `lifecycle` with a segment, a call or a change of state of that end."""
import json
import re

from steps import EARLY, LATE, MS
from pcap import ACK, FIN, MASK, RST, SYN

BITS = {"SYN": SYN, "ACK": ACK, "FIN": FIN, "RST": RST}
ACTS = {"close": {"close"}, "shutdown": {"shutdown"}, "linger 0": {"abort"}, "unread at close": {"abort"}, "disconnect": {"abort"},
        "close in SYN-SENT": {"abort"}, "killed": {"kill"}, "unaccepted": {"listener_closed"}, "FIN": {"end_of_file"}}


def state_at(end, moment):
    """States that the end can have been in around a moment, from its steps."""
    found = set()
    state = "listen" if end.role == "server" else "closed"
    since = 0
    for step in end.history:
        if since <= moment <= step.high:
            found.add(state)
        state, since = step.new, step.low
    if since <= moment:
        found.add(state)
    return found


class Ladder:
    def __init__(self, judge):
        self.judge = judge
        self.tally = judge.tally
        self.known = {end.identity: end for end in judge.ends if end.rows}
        self.seen = {}

    def fact(self, name, good, kind, example):
        self.tally.add("lifecycle", name, "right" if good else "wrong", kind, example)

    def all(self, text):
        for line in text.splitlines():
            record = json.loads(line)
            ends = {role: self.known.get(record[role].get("tcp.connection_id")) for role in ("client", "server")}
            if any(ends.values()):
                self.record(record, ends)
        for end in self.known.values():
            if end.role != "listener" and end.steps[-1:] and end.steps[-1].low < self.judge.finish:
                self.fact("record", end.identity in self.seen, f"none for a {end.role} in {end.scene}", repr(end))

    def record(self, record, ends):
        one = ends["client"] or ends["server"]
        where = f"{record['connection_id']} [{one.scene}]"
        for role, end in ends.items():
            if end is None:
                other = one.other
                joined = not (other and other.rows and other is not one)
                older = one.earlier and not joined
                self.tally.add("lifecycle", "joined", "right" if joined else "unknown" if older else "wrong",
                               f"{'opened before the start, ' if older else ''}one end only, in {one.scene}", where)
                # What is implied of it has to be true all the same.
                ends[role] = other or (one if one.local == one.peer else None)
            else:
                self.fact("record", self.seen.setdefault(end.identity, record["connection_id"]) == record["connection_id"],
                          "an end in two", where)
                self.tally.add("lifecycle", "joined", "right", "")
                self.end(record[role], end, where)
        if one.role == "client" and one.other is None and one.local != one.peer:
            ends["server"] = None
        self.closer(record, ends, where)
        reasons = {r for end in ends.values() if end for s in end.history for r in s.reasons}
        if record.get("reason") not in (None, "unknown"):
            self.fact("reason", record["reason"] in reasons, f"{record['reason']}, {one.scene}", where)
        done = {(id(end), step.new): 0 for end in ends.values() if end for step in end.steps}
        for step in record["steps"]:
            end = ends[step["actor"]]
            self.step(step, end, ends, where)
            if end and (id(end), step.get("state_new")) in done:
                done[id(end), step["state_new"]] += 1
        self.missing(record, ends, done, where)

    def missing(self, record, ends, done, where):
        for end in {id(e): e for e in ends.values() if e and e.rows}.values():
            for step in end.steps:
                if step.row is not None and step.low < self.judge.finish and not (step.old == "time_wait" and step.new == "closed"):
                    self.fact("step", done[id(end), step.new] > 0, f"missing {step.old}>{step.new}, {step.cause}", where)

    def closer(self, record, ends, where):
        first = {}
        for role, end in ends.items():
            changes = [s.new for s in end.history] if end else []
            if "closing" in changes:
                first["both"] = True
            elif "fin_wait_1" in changes and not any(s.new == "closed" and s.old == "established" for s in end.steps):
                first[role] = True
        if "both" in first:
            wanted = {"both"}
        elif len(first) == 2:
            wanted = {"both", *first}
        else:
            wanted = set(first) or {None}
        older = any(end and end.earlier for end in ends.values())
        self.tally.check("lifecycle", "closer", record.get("closer"), wanted, "opened before the start" if older else "", where)

    def end(self, stated, end, where):
        """The facts about one end, as of the last row."""
        check = self.tally.check
        last = end.rows[-1]
        wire = end.wire.at(self.judge.finish)
        port = end.local[1] if not any(s.cause == "no port" for s in end.steps) else None
        check("lifecycle", "local address", stated.get("network.local.address"), {end.local[0]}, "", where)
        check("lifecycle", "local port", stated.get("network.local.port"), {port}, "", where)
        check("lifecycle", "netns", stated.get("tcp.netns"), {self.judge.netns[end.side]}, "", where)
        older = "opened before the start" if end.earlier else ""
        check("lifecycle", "role", stated.get("tcp.role").replace("unknown", "") if older else stated.get("tcp.role"), {end.role}, older, where)
        check("lifecycle", "process", str(stated.get("process.pid", "")), {row["process_pid"] for row in end.rows[-2:]}, "as in the rows", where)
        # It is drawn in TIME-WAIT; what comes later needs --time-wait.
        check("lifecycle", "state", stated.get("network.connection.state"),
              {last["state_new"], *(row["state_new"] for row in end.rows if row["state_new"] == "time_wait")}, "", where)
        if wire.iss is not None and any(s.new == "established" for s in end.history):
            check("lifecycle", "initial sequence", stated.get("tcp.initial_send_sequence"), {wire.iss}, older, where)
            low = end.wire.at(end.rows[-1].t - LATE)
            sent = stated.get("tcp.bytes_sent")
            good = sent is not None and min(low.payload_out, wire.payload_out) <= int(sent) <= wire.payload_out
            self.tally.add("lifecycle", "bytes sent", "right" if good else "unknown" if sent is None else "wrong", older,
                           f"{sent}, not {wire.payload_out}: {where}")
            again = stated.get("tcp.retransmits")
            self.fact("retransmits", again is None or int(again) <= wire.again, "", f"{again}, not {wire.again}: {where}")

    def step(self, step, end, ends, where):
        text = f"{step.get('phase')} {step.get('step', '-')} {step['actor']} {step['basis']} {step.get('act', '')} " \
               f"{' '.join(step.get('flags', ()))} {step.get('state_new', '')} {step.get('reason', '')} {step.get('time', '')[11:]}"
        if step["basis"] == "expected":
            return
        if end is None:
            if step.get("flags"):
                self.fact("segment", self.answered(step, ends["client"]), f"{step['basis']} {' '.join(step['flags'])} of an end "
                          f"that sent none, {ends['client'].steps[-1].cause}", f"{text}: {where}")
            return
        moment = int(step["time_unix_nano"]) if "time_unix_nano" in step else None
        bound = step.get("time_kind") in ("at_least", "at_most")
        if step.get("flags"):
            self.flags(step, end, moment, bound, f"{text}: {where}")
        if step.get("state_new"):
            self.change(step, end, moment, bound, f"{text}: {where}")
        elif step.get("act"):
            self.act(step, end, None, f"{text}: {where}")
        if moment:
            for role in ("client", "server"):
                if ends[role] and f"state_{role}" in step and step["basis"] == "observed" and not bound:
                    around = set().union(*(state_at(ends[role], moment + shift) for shift in (-EARLY, 0, LATE)))
                    self.fact("states of both ends", step[f"state_{role}"] in around, f"{role} {step[f'state_{role}']} at "
                              f"{step.get('state_new') or step.get('act')}", f"not {sorted(around)}: {text}: {where}")

    @staticmethod
    def answered(step, client):
        """Whether a segment with these flags came to the client, from an end that is no socket."""
        wanted = sum(BITS[name] for name in step["flags"])
        return any(not s.out and s.flags & 23 == wanted for s in client.segments)

    def flags(self, step, end, moment, bound, text):
        """The segment must have left this end, at this time, with these numbers."""
        wanted = sum(BITS[name] for name in step["flags"])
        sent = [s for s in end.segments if s.out and s.flags & 23 == wanted]
        kind = f"{step['basis']} {' '.join(step['flags'])}, {self.cause(step, end)}"
        if step.get("sequence") is not None:
            # A FIN behind payload in one segment has a number of its own.
            sent = [s for s in sent if step["sequence"] in (s.seq, (s.seq + s.size) & MASK if s.flags & FIN else s.seq)]
        if step.get("acknowledgement") is not None:
            sent = [s for s in sent if s.ack == step["acknowledgement"]]
        if not sent and step.get("unanswered") is None:
            close = [s for s in end.segments if s.out and moment and abs(s.t - moment) < 100 * MS][:3]
            self.fact("segment", False, f"not on the wire: {kind}", f"{text}; sent {close}")
            return
        self.fact("segment", True, "", "")
        if moment and bound and sent and not step.get("state_new"):
            # Then or earlier, and no earlier than it says: a FIN behind payload.
            first = moment - int(step.get("time_error_ns", moment))
            good = step["time_kind"] == "at_most" and any(first - 2 * MS <= s.t <= moment + 2 * MS for s in sent)
            self.fact("segment's time", good, f"a bound, {kind}", f"{(sent[0].t - moment) / MS:.3f} ms after: {text}")
        if moment and step["basis"] in ("observed", "found") and not bound and sent:
            good = any(moment - 2 * MS <= s.t <= moment + LATE for s in sent)
            self.fact("segment's time", good, kind, f"{(sent[0].t - moment) / MS:.3f} ms after: {text}")

    @staticmethod
    def cause(step, end):
        matching = [s.cause for s in end.steps if s.new == step.get("state_new")]
        return f"{step.get('state_new', '')} {matching[-1] if matching else ''}"

    def change(self, step, end, moment, bound, text):
        matching = [s for s in end.history if s.new == step["state_new"]]
        if not matching:
            self.fact("state", False, f"{step['basis']} {step['state_new']} {step.get('reason', '')} didn't happen, {end.scene}",
                      f"{text}: {[s.new for s in end.steps]}")
            return
        self.fact("state", True, "", "")
        truth = matching[-1]
        if moment and step["basis"] in ("observed", "found"):
            low, high = truth.low, truth.high
            if truth.new == "syn_received" and end.role == "server":
                high = end.machine.syn_ack_first + 5 * MS
            grain = MS if truth.silent else 50_000
            if bound:
                self.bound(step, moment, low, high, truth, text)
            else:
                self.fact("time", low - grain <= moment <= high, f"{step['state_new']}, {truth.cause}",
                          f"{(moment - low - EARLY) / MS:.3f} ms after what caused it: {text}")
        if step.get("act"):
            self.act(step, end, truth, text)
        if step.get("reason"):
            self.tally.add("lifecycle", "reason of an end", "right" if step["reason"] in truth.reasons else
                           "unknown" if step["reason"] == "unknown" else "wrong", f"{step['reason']}, {truth.cause}", text)
        self.stay(step, end, truth, text)

    def bound(self, step, moment, low, high, truth, text):
        """A time that is only a bound has to be on the right side, and no further off than it says."""
        error = int(step.get("time_error_ns", 0)) or None
        if step["time_kind"] == "at_most":
            good = moment >= low and (error is None or moment - error <= high)
        else:
            good = moment <= high and (error is None or moment + error >= low)
        verdict = "wrong" if not good else "right" if error and error <= 10 * MS else "unknown"
        self.tally.add("lifecycle", "time", verdict, f"a bound, {truth.cause}", f"{moment} +- {error}, not {low}..{high}: {text}")

    def stay(self, step, end, truth, text):
        """The time spent in the state that the step enters."""
        at = end.history.index(truth)
        if "state_duration_ns" not in step or at + 1 >= len(end.history):
            return
        following = end.history[at + 1]
        low, high = following.low - truth.high, following.high - truth.low
        if truth.new == "syn_received" and end.role == "server":
            low, high = following.low - end.machine.syn_ack_first - MS, following.high - truth.low
        value = int(step["state_duration_ns"])
        grain = 2 * MS if following.silent else 0
        if step.get("duration_kind") == "at_least":
            self.tally.add("lifecycle", "stay", "unknown" if value <= high + grain else "wrong", f"at least, {truth.new}", text)
        else:
            self.fact("stay", max(0, low - grain) <= value <= high + grain, f"{truth.new} until {following.new}, {following.cause}",
                      f"{value}, not {low}..{high}: {text}")

    def act(self, step, end, truth, text):
        """The call that made it: close() or shutdown(), an abort, a kill, the listener's end."""
        if truth is None:
            truth = next((s for s in end.history if s.new in ("fin_wait_1", "last_ack")), None)
        if truth is None:
            self.fact("act", False, f"{step['act']} without a call", text)
            return
        # A word for both says that it can't be known which.
        words = set(re.split(r"_or_|\W+", step["act"]))
        wanted = ACTS.get(truth.cause, set())
        if truth.cause.startswith("RST") or not wanted:
            wanted = wanted | {step["act"]}
        self.fact("act", bool(words & wanted), f"{step['act']} for {truth.cause}, to {truth.new}", text)
