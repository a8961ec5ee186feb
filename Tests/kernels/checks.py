# SPDX-License-Identifier: Apache-2.0
"""From the files of a guest to the features that it showed, each with its reason."""

import csv
import io
import json
import re

OPENED = "closed syn_sent established"
ACCEPTED = "listen syn_received established"
ACTIVELY = "fin_wait_1 fin_wait_2 time_wait"
PASSIVELY = "close_wait last_ack closed"


def client(closer, reasons, rest):
    return ("client", closer, reasons, f"{OPENED} {rest}")


def server(closer, reasons, rest):
    return ("server", closer, reasons, f"{ACCEPTED} {rest}")


ORDERLY = [client("active", "fin", ACTIVELY), server("passive", "fin", PASSIVELY)]
ORDERLY_BY_SERVER = [client("passive", "fin", PASSIVELY), server("active", "fin", ACTIVELY)]

# Each life of guest/lives.c, and what the tracer has to report of its two ends. Where
# minisocks can't be followed, the rows of a life end with its full socket.
LIVES = {
    "client_closes_first": ORDERLY,
    "client_closes_first/ipv6": ORDERLY,
    "client_closes_first/mapped": ORDERLY,
    "server_closes_first": ORDERLY_BY_SERVER,
    "server_closes_first/ipv6": ORDERLY_BY_SERVER,
    "half_close": ORDERLY,
    "two_processes": ORDERLY,
    "linger_0": [client("", "aborted", "closed"), server("", "reset_received", "closed")],
    "unread_data": [client("", "aborted", "closed"), server("", "reset_received", "closed")],
    "reset_in_close_wait": [
        client("active", "aborted", "fin_wait_1 fin_wait_2 closed"),
        server("passive", "reset_received", "close_wait closed"),
    ],
    "refused": [("client", "", "refused", "closed syn_sent closed")],
    "addresses_in_use": [*ORDERLY, ("client", "", "no_port", "closed syn_sent closed")],
    "taken_away": [client("", "repair", "closed"), server("", "aborted", "closed")],
    "never_accepted": [client("", "reset_received", "closed"), server("", "unaccepted", "closed")],
    "reused": [
        client("passive", "fin", PASSIVELY),
        server("active", "fin reused", ACTIVELY + " closed"),
        *ORDERLY_BY_SERVER,
    ],
    "orphan_runs_out": [
        client("active", "timeout", "fin_wait_1 fin_wait_2 closed"),
        server("passive", "reset_received", PASSIVELY),
    ],
}

# Reading the tables may take 1 % of a CPU, so a slow guest may not have done it
# while the minisock existed. Then only the fact that it ended is known. A wrong
# reason is still a failure.
ENDS_OF_MINISOCKS = {
    "reused": ("time_wait", ("reused", "unknown")),
    "orphan_runs_out": ("fin_wait_2", ("timeout", "unknown")),
}

# The same in the records of the tracepoint, which has no minisocks; by the kernel's numbers.
KERNEL_STATES = {"1": "established", "2": "syn_sent", "3": "syn_received", "4": "fin_wait_1", "5": "fin_wait_2"}
KERNEL_STATES |= {"7": "closed", "8": "close_wait", "9": "last_ack", "10": "listen", "11": "closing"}


class Features(dict):
    """Feature to the reason why it is missing; None if it is there."""

    def check(self, name, reason):
        self[name] = reason or None


def tracer_features(outcome):
    """Features of a guest in which the tracer ran."""
    features = Features()
    _programs(features, outcome)
    usual, classic = _rows(outcome, "usual.csv"), _rows(outcome, "classic.csv")
    lives, held = _lives(outcome, "all.lives"), _lives(outcome, "held.lives")
    minisocks = _minisock_trouble(usual, lives)
    features.check("minisocks", minisocks)
    features.check("lives", _status(outcome, "usual") or _life_trouble(usual, lives, not minisocks))
    features.check("classic", _status(outcome, "classic") or _life_trouble(classic, lives, False))
    features.check("cookies", _first(usual, lambda r: int(r["connection_id"], 16) >> 63, "has no cookie"))
    features.check("owners", _owner_trouble(usual, lives))
    missing = [line for line in outcome.lines("usual.err") if "This kernel gives less" in line]
    features.check("nothing-missed", " ".join(missing))
    features.check("reset-reasons", _reset_trouble(usual))
    _existing(features, outcome, usual, held)
    _stuck(features, outcome, held)
    features.check("stuck-watch", _watch_trouble(outcome))
    features.check("lifecycle", _lifecycle_trouble(outcome))
    features.check("in-kernel", _in_kernel_trouble(outcome, usual))
    return features


def probe_features(outcome):
    """Features of a guest in which only the BPF object ran."""
    features = Features()
    _programs(features, outcome)
    lives = _lives(outcome, "all.lives")
    records = [line.split(",", 8) for line in outcome.lines("trace.csv") if line.count(",") == 8]
    names = "kind state_old state_new connection_id local_port peer_port owner actor owner_name".split()
    events = [dict(zip(names, record)) for record in records]
    transitions = [e for e in events if e["kind"] == "1"]
    complete = outcome.lines("trace.csv")[-1:] == ["end"] and any(e["kind"] in "23" for e in events)
    trouble = None if complete else "probe did not come to its end, or the iterators found nothing"
    features.check("lives", trouble or _record_trouble(transitions, lives))
    features.check("cookies", _first(transitions, lambda e: e["connection_id"].strip("0") == "", "has no cookie"))
    features.check("owners", _record_owner_trouble(transitions, lives["two_processes"][0][1]))
    return features


def _programs(features, outcome):
    for line in outcome.lines("features.txt"):
        name, _, answer = line.partition(" ")
        features.check(name, None if answer == "ok" else answer)


def _rows(outcome, name):
    return list(csv.DictReader(io.StringIO("\n".join(outcome.lines(name)))))


def _lives(outcome, name):
    """Life to its (client port, server port), which may be several."""
    lives = {}
    for line in outcome.lines(name):
        life, client_port, server_port = line.split()
        lives.setdefault(life, []).append((client_port, server_port))
    return lives


def _status(outcome, name):
    """The tracer has to end with 0, and to have lost or contradicted nothing."""
    words = outcome.lines(f"{name}.err")
    if outcome.lines(f"{name}.status") != ["0"]:
        return f"the tracer ended with {outcome.lines(f'{name}.status')}: {' '.join(words[-1:])}"
    if not any(" 0 lost, 0 unmatched." in line for line in words):
        return f"the tracer lost or contradicted something: {' '.join(words[-1:])}"
    return None


def _first(rows, wrong, what):
    for row in rows:
        if wrong(row):
            return f"{row} {what}"
    return None if rows else "there are no rows"


def _reset_trouble(rows):
    """The end that aborts a connection sends a RST, and newer kernels give the reason."""
    aborted = [row for row in rows if row["reason"] == "aborted" and row["state_old"] == "established"]
    return _first(aborted, lambda row: not row["reset_reason"], "has no reason for the reset")


def _ends(rows, ports):
    """What the rows report of each end of the connections that use the ports."""
    connections = {}
    for row in rows:
        connections.setdefault(row["connection_id"], []).append(row)
    ends = []
    for parts in connections.values():
        if parts[0]["role"] == "listener" or not any(r[p] in ports for r in parts for p in ("local_port", "peer_port")):
            continue
        reasons = " ".join(_reason(r) for r in parts if r["reason"])
        states = " ".join([parts[0]["state_old"]] + [r["state_new"] for r in parts])
        ends.append((parts[-1]["role"], parts[-1]["closer"], reasons, states))
    return sorted(ends)


def _reason(row):
    """The reason of a row; for a minisock that ended unseen, the usual one."""
    if (row["reason"], row["source"], row["state_new"]) != ("unknown", "derived", "closed"):
        return row["reason"]
    return {"time_wait": "reused", "fin_wait_2": "timeout"}.get(row["state_old"], "unknown")


def _ports(lives, life):
    # The server's alone: with the client's, an ephemeral port that was used twice would confuse two lives.
    return {server for _, server in lives.get(life, [])}


def _minisock_trouble(rows, lives):
    """Whether what follows the full socket is seen: the end of a TIME-WAIT and of a FIN-WAIT-2."""
    for life, (old, reasons) in ENDS_OF_MINISOCKS.items():
        ends = [
            row
            for row in rows
            if {row["local_port"], row["peer_port"]} & _ports(lives, life)
            and (row["state_old"], row["state_new"]) == (old, "closed")
            and row["reason"] in reasons
        ]
        if len(ends) != 1:
            return f"{life}: {len(ends)} rows from {old} to closed with {reasons[0]}, not 1"
    return None


def _life_trouble(rows, lives, follows_minisocks):
    for life, expected in LIVES.items():
        if life not in lives:
            return f"{life} did not take place"
        if not follows_minisocks:
            expected = [_without_minisock(end) for end in expected]
        seen = _ends(rows, _ports(lives, life))
        if not follows_minisocks:
            # Whether FIN-WAIT-2 ended before the kernel replaced the socket is a matter of timing.
            seen = [_without_minisock(end) for end in seen]
        if sorted(seen) != sorted(expected):
            return f"{life}: seen {sorted(seen)}, expected {sorted(expected)}"
    return None


def _without_minisock(end):
    role, closer, reasons, states = end
    for after, reason in ((" time_wait closed", "fin reused"), (" time_wait", "fin"), (" fin_wait_2 closed", "timeout")):
        if states.endswith(after) and reasons == reason:
            states, reasons = states[: -len(after)] + (" fin_wait_2" if "fin_wait_2" in after else ""), ""
    return role, closer, reasons, states


def _owner_trouble(rows, lives):
    """The two ends of `two_processes` have owners of their own, in every row of the full socket."""
    ports = _ports(lives, "two_processes")
    for role, name in (("client", "lives"), ("server", "serving"), ("listener", "serving")):
        named = {r["process_name"] for r in rows if r["role"] == role and {r["local_port"], r["peer_port"]} & ports}
        if named != {name}:
            return f"the {role}'s owner is {named}, not {name}"
    return None


def _record_owner_trouble(transitions, port):
    """The records name the processes that open and close; whose a child is in between, the tracer works out."""
    acts = {"the client's connect()": ("peer_port", "7", "2", "lives"), "listen()": ("local_port", "7", "10", "serving"),
            "the child's close()": ("local_port", "8", "9", "serving")}
    for act, (end, old, new, name) in acts.items():
        owners = [e["owner_name"] for e in transitions if (e[end], e["state_old"], e["state_new"]) == (port, old, new)]
        if owners != [name]:
            return f"{act} has the owner {owners}, not {name}"
    return None


def _in_kernel_trouble(outcome, rows):
    """The kernel has counted what the tracer next to it has seen."""
    words = outcome.lines("counted.err")
    if outcome.lines("counted.status") != ["0"]:
        return f"ended with {outcome.lines('counted.status')}: {' '.join(words[-1:])}"
    counted = {r["state"]: int(r["stays"]) for r in _rows(outcome, "counted.csv")}
    for state in ("listen", "syn_sent", "syn_received", "established", "close_wait", "last_ack"):
        traced = sum(r["state_old"] == state and bool(r["state_duration_ns"]) for r in rows)
        if counted.get(state, 0) != traced:
            return f"counted {counted.get(state, 0)} stays in {state}, traced {traced}"
    return None


def _existing(features, outcome, rows, held):
    port = held["held_open"][0][1]
    seen = [r for r in rows if port in (r["local_port"], r["peer_port"])]
    stays = [r for r in seen if r["state_old"] == "established" and r["duration_kind"] == "at_least"]
    ends = {r["state_new"] for r in stays}
    trouble = None if ends == {"fin_wait_1", "close_wait"} else f"the held connection's ends went to {ends}"
    features.check("existing-sockets", trouble or _opening_trouble(outcome))
    owners = {r["process_name"] for r in stays}
    features.check("existing-owners", None if owners == {"holding"} else f"the held connection's owners are {owners}")


def _opening_trouble(outcome):
    """Two established ends, CLOSE-WAIT and perhaps its FIN-WAIT-2 existed, and a listener."""
    opening = [line for line in outcome.lines("usual.err") if line.startswith("Tracing TCP")]
    found = re.search(r"Open before: [34] connections, 1 listener\.", "".join(opening))
    return None if found else f"the opening line is: {opening}"


def _stuck(features, outcome, held):
    rows = [r for r in _rows(outcome, "stuck.csv") if r["local_port"] == held["held_in_close_wait"][0][1]]
    trouble = None
    if outcome.lines("stuck.status") != ["1"] or len(rows) != 1 or rows[0]["state"] != "close_wait":
        trouble = f"status {outcome.lines('stuck.status')}, {len(rows)} rows: {outcome.lines('stuck.err')}"
    features.check("stuck", trouble)
    held_by = rows[0]["process_name"] if rows else "nobody"
    held_right = held_by == "holding" and rows[0]["verdict"] == "held"
    features.check("stuck-owners", None if held_right else f"held by {held_by!r}")


def _watch_trouble(outcome):
    """One crosses 300 ms and ends, with one id."""
    port = _lives(outcome, "watched.lives")["held_in_close_wait"][0][1]
    rows = [r for r in _rows(outcome, "watch.csv") if r["local_port"] == port]
    seen = [(r["event"], r["state"], r["duration_kind"], r["process_name"]) for r in rows]
    if seen != [(event, "close_wait", "exact", "holding") for event in ("crossed", "ended")]:
        return f"status {outcome.lines('watch.status')}, seen {seen}: {outcome.lines('watch.err')}"
    return None if rows[0]["connection_id"] == rows[1]["connection_id"] else "two ids for one connection"


def _lifecycle_trouble(outcome):
    if outcome.lines("lifecycle.status") != ["0"]:
        return f"ended with {outcome.lines('lifecycle.status')}: {outcome.lines('lifecycle.err')}"
    drawn = [json.loads(line) for line in outcome.lines("lifecycle.jsonl")]
    # One for each connection of lives, including the refused ones and the second of the reused one, and those held.
    needed = len(LIVES) + 1
    return None if len(drawn) >= needed else f"{len(drawn)} connections drawn, not {needed} or more"


def _record_trouble(transitions, lives):
    """The chains of states in the tracepoint's own records."""
    for life, expected in LIVES.items():
        ports = _ports(lives, life)
        chains = {}
        for event in transitions:
            if event["state_old"] == event["state_new"] or "10" in (event["state_old"], event["state_new"]):
                continue  # a listener's, or a child's first, which has the listener's cookie
            if {event["local_port"], event["peer_port"]} & ports:
                chains.setdefault(event["connection_id"], []).append(event)
        seen = sorted(
            " ".join([KERNEL_STATES[c[0]["state_old"]]] + [KERNEL_STATES[e["state_new"]] for e in c])
            for c in chains.values()
        )
        wanted = sorted(_as_recorded(end[3]) for end in expected)
        if seen != wanted:
            return f"{life}: recorded {seen}, expected {wanted}"
    return None


def _as_recorded(states):
    states = states.removeprefix("listen ")
    return states.replace("time_wait closed", "closed").replace("time_wait", "closed")
