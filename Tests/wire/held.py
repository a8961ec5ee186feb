# SPDX-License-Identifier: Apache-2.0
"""Compares what `stuck` found, live and in the recording, with who held which socket in which state at that time."""
import csv
import datetime
import io

from steps import LATE, MS
from views import open_state
from who import OWNER_GRACE

STATES = "syn-sent,established,fin-wait-1,fin-wait-2,close-wait,closing,last-ack"
NAMES = {name.replace("-", "_") for name in STATES.split(",")}
SOON = 300 * MS
RECORDED = 24  # looks into the recording, at most twice as many


class Held:
    def __init__(self, judge, words):
        self.judge = judge
        self.words = words  # the verdicts that the schema declares
        self.tally = judge.tally
        self.by_ends = {}
        self.known = {end.identity: end for end in judge.ends if end.rows}
        for end in judge.ends:
            if end.role != "listener":
                self.by_ends.setdefault((str(judge.netns[end.side]), end.local, end.peer), []).append(end)

    def find(self, row, moment):
        """The end that a row is about: by the recording's id, else by its addresses; of several the one that lives."""
        if row["connection_id"] in self.known:
            return self.known[row["connection_id"]]
        key = (row["netns"], (row["local_address"], int(row["local_port"] or 0)), (row["peer_address"], int(row["peer_port"] or 0)))
        alive = [end for end in self.by_ends.get(key, ()) if open_state(end, moment) - {"closed", "listen"}]
        return alive[-1] if alive else (self.by_ends.get(key) or [None])[-1]

    def looks(self, looks):
        for look in looks:
            rows = list(csv.DictReader(io.StringIO(look["text"])))
            self.tally.check("stuck", "exit status", look["status"], {1 if rows else 0}, "")
            self.one("stuck", rows, look["side"], look["t0"], look["t1"], live=True)

    def recorded(self, outputs, path, looks):
        """The same moments in the recording; of many some."""
        for look in looks[::1 + len(looks) // RECORDED]:
            moment = (look["t0"] + look["t1"]) // 2
            if not self.judge.everything[0].t < moment < self.judge.everything[-1].t:
                continue  # nothing had happened yet, or happened any more
            whole = datetime.datetime.fromtimestamp(moment // 10**9, datetime.timezone.utc)
            at = whole.strftime("%Y-%m-%dT%H:%M:%S") + f".{moment % 10**9:09}Z"
            inode = str(self.judge.netns[look["side"]])
            text = outputs.text("stuck", "--read", path, "--netns", inode, "--state", STATES, "--older-than", "0s", "--at", at,
                       "--format", "csv")
            rows = list(csv.DictReader(io.StringIO(text)))
            self.one("stuck --read", rows, look["side"], moment, moment, live=False)

    def one(self, view, rows, side, begun, ended, live):
        listed = set()
        for row in rows:
            end = self.find(row, begun)
            if end is None:
                self.tally.add(view, "row", "wrong", "belongs to nothing", str(dict(row)))
                continue
            listed.add(id(end))
            states = open_state(end, begun - LATE, ended + LATE)
            self.addresses(view, row, end)
            self.tally.check(view, "state", row["state"], states, end.scene, repr(end))
            self.age(view, row, end, begun, ended)
            self.holders(view, row, end, begun, ended, live)
        for end in self.judge.ends:
            if end.side == side and end.role != "listener" and id(end) not in listed and self.lives(end, begun, ended):
                states = [open_state(end, begun - SOON, ended + SOON)]
                surely = len(states[0]) == 1 and states[0] <= NAMES
                if surely and not any(step.merged for step in end.steps):
                    unseen = states[0] == {"fin_wait_2"} and end.machine.is_orphan
                    verdict = "unknown" if not live and self.may_have_ended(end, begun) else "wrong"
                    self.tally.add(view, "row", verdict, f"missing {next(iter(states[0]))}{' of an orphan' if unseen else ''}, "
                                   f"{end.scene}", repr(end))
        return listed

    @staticmethod
    def may_have_ended(end, moment):
        """Whether the recording only has a bound for the end, before this moment: it may have gone by then."""
        last = end.rows[-1]
        return (last["state_new"] == "closed" and last["timestamp_kind"] == "at_least"
                and last.t <= moment <= last.t + int(last["timestamp_error_ns"] or 1 << 62))

    @staticmethod
    def lives(end, begun, ended):
        """Whether there can be a socket then."""
        return (end.history and end.history[0].low <= ended + SOON
                and (end.history[-1].new != "closed" or end.history[-1].high >= begun - SOON))

    def addresses(self, view, row, end):
        check = self.tally.check
        check(view, "connection_id", row["connection_id"], {getattr(end, "identity", "")}, "as in the trace", repr(end))
        port = {str(end.local[1])} | ({""} if view != "stuck" and row["state"] == "syn_sent" else set())
        check(view, "local", (row["local_address"], row["local_port"]), {(end.local[0], p) for p in port}, "", repr(end))
        check(view, "peer", (row["peer_address"], row["peer_port"]), {(end.peer[0], str(end.peer[1]))}, "", repr(end))
        check(view, "network_type", row["network_type"], {"ipv6" if ":" in end.local[0] else "ipv4"}, "", repr(end))

    def age(self, view, row, end, begun, ended):
        entered = [s for s in end.history if s.new == row["state"] and s.low <= ended]
        if not entered:
            return
        low, high = begun - entered[-1].high - LATE, ended - entered[-1].low + LATE
        if row["state_duration_ns"] == "":
            self.tally.add(view, "age", "unknown", row["state"], repr(end))
        elif row["duration_kind"] == "exact":
            good = low <= int(row["state_duration_ns"]) <= high
            self.tally.add(view, "age", "right" if good else "wrong", f"exact, {row['state']}",
                           f"{row['state_duration_ns']}, not {low}..{high}: {end!r}")
        else:
            good = int(row["state_duration_ns"]) <= high
            self.tally.add(view, "age", "right" if good else "wrong", f"at least, {row['state']}",
                           f"{row['state_duration_ns']} > {high}: {end!r}")

    def holders(self, view, row, end, begun, ended, live):
        socket = end.socket
        sure = socket.surely(begun) & socket.surely(ended) if socket else set()
        may = socket.between(begun - MS, ended + MS) if socket else set()
        if not live:
            self.owner(view, row, end, may, begun)
            return
        stated = {int(part.rsplit("/", 1)[1].split(":")[0]) for part in row["holders"].split() if "/" in part}
        for part in row["holders"].split():
            pid = int(part.rsplit("/", 1)[1].split(":")[0])
            right = f"{self.judge.calls.names.get(pid, '?')[:15]}/{pid}:{socket.descriptors.get(pid) if socket else '?'}"
            self.tally.check(view, "descriptor", part, {right}, "", repr(end))
        self.tally.add(view, "holders", "right" if sure <= stated <= may else "wrong", f"{row['verdict']}, {end.scene}",
                       f"{sorted(stated)}, not {sorted(sure)}..{sorted(may)}: {end!r}")
        wanted = {"held"} if len(sure) == 1 else {"shared"} if len(sure) > 1 else {"unaccepted", "orphan", "unseen"}
        if sure == may and (sure or end.role == "client"):
            if not sure:
                wanted = {"orphan"}
            self.tally.check(view, "verdict", row["verdict"], wanted | self.finer(row), end.scene, repr(end))
        self.tally.add(view, "verdict", "right" if row["verdict"] in self.words else "wrong", "undeclared", row["verdict"])
        for number in ("unread_bytes", "unsent_bytes"):
            name = "of_" + number
            if end.wire.between(begun - LATE, ended + LATE) or row[number] == "":
                continue
            read = [c for c in (socket.calls if socket else ()) if c["t1"] >= begun - LATE and c["t0"] <= ended + LATE]
            if not read and hasattr(self.judge, name):
                self.number(view, row, end, begun, number)

    @staticmethod
    def finer(row):
        """Newer verdicts say what a holder waits for; whether they fit is not this referee's."""
        known = {"held", "shared", "unaccepted", "orphan", "unseen", "half_open", "unknown"}
        return {row["verdict"]} - known

    def number(self, view, row, end, moment, name):
        wire = end.wire.at(moment)
        calls = end.socket.calls if end.socket else ()
        if name == "unread_bytes":
            wanted = wire.payload_in - sum(c["got"] for c in calls if c["op"] == "recv" and c["t1"] < moment)
        else:
            wanted = sum(max(0, c.get("result", 0)) for c in calls if c["op"] == "send" and c["t1"] < moment) - wire.payload_out
        self.tally.check(view, name, row[name], {str(wanted)}, row["state"], repr(end))

    def owner(self, view, row, end, may, moment):
        opener = end.listener.holders(moment, MS) if end.listener else set()
        if row["process_pid"] == "":
            self.tally.add(view, "process", "unknown", row["state"], repr(end))
            return
        pid = int(row["process_pid"])
        if not may and end.socket and end.socket.last_close:
            may = {end.socket.last_close["pid"]}
        accepted = end.origin if end.role == "server" else None
        if end.role == "server" and (accepted is None or moment < accepted["t1"]):
            may = may | opener
        if pid in may:
            verdict = "right"
        elif row.get("owner_kind") == "inherited" and pid in opener or end.socket and pid in end.socket.formerly(moment, OWNER_GRACE):
            verdict = "unknown"
        else:
            verdict = "wrong"
        self.tally.add(view, "process", verdict, f"{row['state']}, {end.scene}", f"{pid}, not {sorted(may)}: {end!r}")
