# SPDX-License-Identifier: Apache-2.0
"""Compares `summary` and `report` (for Perfetto and as a page) with the ends and their verified rows."""
import csv
import io
import json
import math
import re

from steps import MS

STATES = ("listen", "syn_sent", "syn_received", "established", "fin_wait_1", "fin_wait_2", "close_wait", "closing", "last_ack",
          "time_wait")
RFC = {name: name.upper().replace("_", "-") for name in STATES + ("closed",)}


def open_state(end, moment, until=None):
    """The states in which the end can be at a moment, or between two; closed if there is no socket."""
    until = moment if until is None else until
    found, state, since = set(), "closed", 0
    for step in end.history:
        if since <= until and (step.high >= moment or step.optional):
            found.add(state)
        state, since = step.new, step.low
    if since <= until:
        found.add(state)
    return found


def group(row):
    """The process that `summary --by process` counts a row for: none if the owner is only inherited after the handshake."""
    is_presumed = row.get("owner_kind") == "inherited" and row["state_old"] not in ("listen", "syn_received")
    return "" if is_presumed else row["process_name"]


class Views:
    def __init__(self, judge, outputs, path):
        self.judge = judge
        self.tally = judge.tally
        self.outputs = outputs
        self.path = path
        self.known = {end.identity: end for end in judge.ends if end.rows}

    # summary

    def summary(self):
        for side, inode in self.judge.netns.items():
            text = self.outputs.text("summary", "--read", self.path, "--netns", str(inode), "--format", "csv")
            ends = [end for end in self.judge.ends if end.side == side and end.rows]
            rows = [row for row in self.judge.of_netns_rows(inode)]
            for line in csv.DictReader(io.StringIO(text)):
                self.state(line, ends, rows, side)
            names = sorted({group(row) for row in rows if group(row)})
            self.grouped(self.outputs.text("summary", "--read", self.path, "--netns", str(inode), "--by", "process", "--format", "csv"), rows, side, names)

    def state(self, line, ends, rows, side):
        state = line["state"]
        last = max(row.t for row in self.judge.everything)
        lengths = sorted(int(row["state_duration_ns"]) for row in rows
                         if row["state_old"] == state != row["state_new"] and row["state_duration_ns"])
        surely = sum(any(state == s for s in [only]) for end in ends for only in [next(iter(open_state(end, last)))]
                     if len(open_state(end, last)) == 1)
        maybe = sum(state in open_state(end, last) for end in ends)
        self.counts(line, lengths, f"{state} in {side}")
        self.tally.add("summary", "open_now", "right" if surely <= int(line["open_now"]) <= maybe else "wrong", state,
                       f"{line['open_now']}, not {surely}..{maybe} in {side}")
        steps = [step for end in ends for step in end.steps if step.old == state]
        low = sum(not step.optional and not step.merged and (step.row is None or step.row["state_duration_ns"] != "")
                  for step in steps)
        good = low <= int(line["stays"]) <= len(steps)
        self.tally.add("summary", "stays", "right" if good else "wrong", f"{state}, against the wire",
                       f"{line['stays']}, not {low}..{len(steps)} in {side}")

    def counts(self, line, lengths, where):
        check = self.tally.check
        check("summary", "stays", line["stays"], {str(len(lengths))}, "against the rows", where)
        check("summary", "total_ns", line["total_ns"] or "0", {str(sum(lengths))}, "", where)
        if not lengths:
            return
        check("summary", "longest_ns", line["longest_ns"], {str(lengths[-1])}, "", where)
        for name, part in (("p50_ns", 0.5), ("p90_ns", 0.9), ("p99_ns", 0.99)):
            # The nearest rank; the kernel's buckets are 0.8 % wide.
            wanted = lengths[max(0, math.ceil(part * len(lengths)) - 1)]
            good = abs(int(line[name]) - wanted) <= wanted * 0.005 + 1
            self.tally.add("summary", name, "right" if good else "wrong", "", f"{line[name]}, not near {wanted}: {where}")

    def grouped(self, text, rows, side, names):
        found = set()
        for line in csv.DictReader(io.StringIO(text)):
            found.add(line["process_name"])
            lengths = sorted(int(row["state_duration_ns"]) for row in rows if group(row) == line["process_name"]
                             and row["state_old"] == line["state"] != row["state_new"] and row["state_duration_ns"])
            self.counts(line, lengths, f"{line['state']} of {line['process_name']} in {side}")
        self.tally.add("summary", "groups", "right" if found >= set(names) else "wrong", "",
                       f"missing {set(names) - found} in {side}")

    # report

    def perfetto(self):
        loaded = json.loads(self.outputs.file("perfetto.json", "report", "--read", self.path, "--format", "perfetto"))
        events = loaded["traceEvents"] if isinstance(loaded, dict) else loaded
        base = int(next(e["args"]["start_unix_nano"] for e in events if e.get("cat") == "start"))
        stays, still = {}, {}
        for event in events:
            if event["ph"] == "X":
                (stays if event["cat"] == "stay" else still).setdefault(event["args"]["connection"], []).append(event)
        for identity, end in self.known.items():
            if end.role != "listener":
                self.slices(end, stays.get(identity, []), base)
                names = {RFC[s] for s in open_state(end, self.judge.finish) if s != "closed"}
                got = {e["name"] for e in still.get(identity, [])}
                good = got <= names and (got or len(open_state(end, self.judge.finish)) > 1 or not names)
                self.tally.add("perfetto", "open", "right" if good else "wrong", f"{sorted(got)}, not {sorted(names)}", repr(end))

    def slices(self, end, slices, base):
        slices = sorted(slices, key=lambda event: event["ts"])
        for step in end.steps:
            if step.row is None or not step.row["state_duration_ns"]:
                continue
            place = next((e for e in slices if e["name"] == RFC[step.old]), None)
            self.tally.add("perfetto", "slice", "right" if place else "wrong", f"missing {step.old}", repr(end))
            if not place:
                continue
            slices.remove(place)
            length = int(place["args"]["duration_ns"])
            self.tally.check("perfetto", "duration", str(length), {step.row["state_duration_ns"]}, step.old, repr(end))
            until = base + place["ts"] * 1000 + place["dur"] * 1000
            self.tally.add("perfetto", "time", "right" if abs(until - step.row.t) < 2 * MS else "wrong", step.old,
                           f"ends {(until - step.row.t) / MS:.3f} ms off: {end!r}")
        for event in slices:
            merged = any(s.merged for s in end.steps)
            self.tally.add("perfetto", "slice", "unknown" if merged else "wrong", f"{event['name']} didn't happen", repr(end))

    def page(self):
        text = self.outputs.file("page.html", "report", "--read", self.path)
        blocks = re.findall(r'<script type="application/json"([^>]*)>(.*?)</script>', text, re.S)
        totals = next(json.loads(body) for head, body in blocks if "totals" in head)
        words = next(json.loads(body) for head, body in blocks if 'id="words"' in head)
        numbers = {state[3]: state[0] for state in words["states"]}
        seen, lives = {}, 0
        for head, body in blocks:
            if 'class="lives"' in head:
                base = int(re.search(r'data-base="(\d+)"', head)[1])
                for life in json.loads(body):
                    ours = [end for end in life if end and end[0] in self.known]
                    lives += bool(ours)
                    for lane in ours:
                        seen[lane[0]] = seen.get(lane[0], 0) + 1
                        self.lane(lane, self.known[lane[0]], base, numbers)
        self.page_totals(totals, seen, lives)

    def lane(self, lane, end, base, numbers):
        check = self.tally.check
        who = {(row["process_pid"], row["process_name"]) for row in end.rows[-2:]}
        check("page", "process", (str(lane[2] or ""), lane[3] or ""), who, "", repr(end))
        port = 0 if any(s.cause == "no port" for s in end.steps) else end.local[1]
        check("page", "ends", (lane[4], lane[5] or 0, lane[6], lane[7]), {(end.local[0], port, *end.peer)}, "", repr(end))
        drawn = [tuple(lane[10][at:at + 5]) for at in range(0, len(lane[10]), 5)]
        for step in end.steps:
            if step.row is None:
                continue
            change = numbers[step.old], numbers[step.new]
            found = next((one for one in drawn if one[1:3] == change), None)
            self.tally.add("page", "change", "right" if found else "wrong", f"missing {step.old}>{step.new}", repr(end))
            if found:
                drawn.remove(found)
                self.tally.check("page", "time", base + found[0], {step.row.t}, "", repr(end))
                length = "" if found[3] is None else str(found[3])
                self.tally.add("page", "duration", "right" if length == step.row["state_duration_ns"] else "wrong", step.old,
                               f"{length}, not {step.row['state_duration_ns']}: {end!r}")
        for one in drawn:
            merged = any(s.merged for s in end.steps)
            self.tally.add("page", "change", "unknown" if merged else "wrong", f"{one[1:3]} didn't happen", repr(end))

    def page_totals(self, totals, seen, lives):
        ends = {e.identity: e for e in self.judge.ends if e.rows and e.role != "listener"}
        for identity, end in ends.items():
            self.tally.check("page", "lanes", seen.get(identity, 0), {1}, end.scene, repr(end))
        pairs = [e for e in ends.values() if e.other and e.other.rows]
        wanted = len(ends) - len(pairs) // 2
        older = sum(1 for e in pairs if e.earlier)  # these may stay apart
        self.tally.add("page", "connections", "right" if wanted <= lives <= wanted + older // 2 else "wrong",
                       "joined ends are one connection", f"{lives}, not {wanted}")
        self.tally.check("page", "rows", totals["rows"], {len(self.judge.everything)}, "")
        self.tally.check("page", "lost", totals["lost"], {0}, "")
        self.tally.check("page", "sockets", totals["ends"], {len(ends)}, "")
