# SPDX-License-Identifier: Apache-2.0
"""Joins the product's rows to the ends of the referee, and each row to its step."""
import bisect
import csv

from steps import EARLY, LATE


class Row(dict):
    """One line of the CSV."""

    @property
    def t(self):
        return int(self["timestamp_unix_nano"])

    @property
    def change(self):
        return f"{self['state_old']}>{self['state_new']}"


def load(path):
    """The rows, and the names of the columns."""
    with open(path, newline="") as file:
        reader = csv.DictReader(file, strict=True)
        return [Row(line) for line in reader], reader.fieldnames


def groups(rows):
    found = {}
    for row in rows:
        found.setdefault(row["connection_id"], []).append(row)
    return found


def join(ends, rows, netns):
    """Give each end its rows. Returns those that belong to nobody."""
    openings, by_ends = {}, {}
    for end in ends:
        if end.flow:
            key = str(netns[end.side]), end.local[0], str(end.local[1]), end.peer[0], str(end.peer[1])
            by_ends.setdefault(key, []).append(end)
        if end.role != "server":
            openings.setdefault(str(end.origin["pid"]), []).append(end)
    for line in openings.values():
        line.sort(key=lambda e: e.origin["t0"])
    strange = []
    for identity, group in groups(rows).items():
        first = group[0]
        end = None
        if first["state_old"] == "closed":
            line = openings.get(first["actor_pid"], ())
            at = bisect.bisect_right(line, first.t + EARLY, key=lambda e: e.origin["t0"])
            end = next((e for e in line[max(0, at - 4):at] if first.t <= e.origin["t1"] + EARLY and not e.rows), None)
        if end is None and first["state_old"] == "listen" and first["state_new"] == "closed":
            end = next((e for e in ends if e.role == "listener" and not e.rows and e.socket.last_close
                        and e.socket.last_close["t0"] - EARLY <= first.t <= e.socket.last_close["t1"] + EARLY
                        and str(e.local[1]) == first["local_port"]), None)
        if end is None:
            tuples = {(r["netns"], r["local_address"], r["local_port"], r["peer_address"], r["peer_port"]) for r in group}
            end = next((e for key in tuples for e in by_ends.get(key, ()) if not e.rows
                        and (e.role == "server" or first["state_old"] != "listen") and first["state_old"] != "closed"
                        and e.segments[0].t - EARLY <= first.t <= (e.flow.next.segments[0].t if e.flow.next else 1 << 63) + LATE), None)
        if end is None:
            strange += group
            continue
        end.rows = group
        end.identity = identity
    return strange


def align(end):
    """Each step's row, by states and order; returns the rows that are left."""
    left = [row for row in end.rows if row["state_old"] != row["state_new"]]
    left.sort(key=lambda row: row.t)
    for step in end.steps:
        step.row = next((row for row in left if row["state_old"] == step.old and row["state_new"] == step.new), None)
        if step.row is not None:
            left.remove(step.row)
    for one, other in zip(end.steps, end.steps[1:]):
        # Two changes of a minisock that no reading came between are one to whoever reads.
        row = next((row for row in left if one.silent and other.silent and one.row is other.row is None
                    and (row["state_old"], row["state_new"], row["reason"]) == (one.old, other.new, "unknown")), None)
        if row is not None:
            left.remove(row)
            one.merged = other.merged = row
    return left
