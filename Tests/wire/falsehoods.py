# SPDX-License-Identifier: Apache-2.0
"""Changes to outputs of the product, one per column and kind of fact: each makes one of them wrong, or leaves it out."""
import csv
import io
import json
import re


class Change:
    """One change to one output: `what` names it, `edit` makes it and says whether it found something to change."""

    def __init__(self, what, edit):
        self.what = what
        self.edit = edit


def other(value, wanted=None):
    """Something that looks like the value, and isn't it."""
    if value.isdigit():
        return str(int(value) + 1_000_003 if len(value) < 17 else int(value) - 10**12)
    if re.fullmatch("[0-9a-f]{16}", value):
        return f"{int(value, 16) ^ 0x1234:016x}"
    if re.match(r"\d{4}-\d\d-\d\dT", value):
        return value[:-2] + ("1" if value[-2] != "1" else "2") + "Z"
    return {"client": "server", "server": "client", "exact": "", "event": "derived", "derived": "event", "ipv4": "ipv6",
            "ipv6": "ipv4", "active": "passive", "passive": "active", "fin": "timeout", "established": "close_wait"}.get(value, value + "x")


PLAIN = {"state_duration_ns": ("established", "fin_wait_1"), "reason": ("last_ack", "closed"), "closer": ("established", "close_wait")}


def row_changes(names, chooser):
    """For each column one cell that has a value, and one that has none."""
    for name in names:
        def edit(rows, name=name):
            if name == "slow_start_threshold_packets":
                return swap(rows, name, lambda row: row["state_new"] == "fin_wait_1" and row["source"] == "event", "7")
            fitting = [row for row in rows if row[name] and row["source"] == "event" and row["role"] in ("client", "server")
                       and not (name.startswith(("congestion_window", "rto", "rtt")) and row["state_new"] != "fin_wait_1")
                       and (row["state_old"], row["state_new"]) == PLAIN.get(name, (row["state_old"], row["state_new"]))]
            if not fitting:
                return False
            row = chooser.choice(fitting)
            row[name] = {"socket_address": "0000000000000001", "syn_ack_retransmits": "77"}.get(name, other(row[name]))
            return True
        yield Change(f"csv {name}", edit)
        yield Change(f"csv {name}, emptied", lambda rows, name=name: empty(rows, name))


def swap(rows, name, fits, value):
    for row in rows:
        if fits(row):
            row[name] = value
            return True
    return False


def empty(rows, name):
    """A value that is known, left out: not wrong, but unknown."""
    for row in rows:
        if row[name] and row["state_new"] in ("fin_wait_1", "last_ack") and row["source"] == "event":
            row[name] = ""
            return True
    for row in rows:
        if row[name] and row["source"] == "event" and name != "slow_start_threshold_packets":
            row[name] = ""
            return True
    return False


def structure_changes():
    """Rows that are left out, doubled, swapped or made up."""
    def drop(rows):
        at = next(at for at, row in enumerate(rows) if row["state_new"] == "fin_wait_1")
        del rows[at]
        return renumber(rows)

    def double(rows):
        at = next(at for at, row in enumerate(rows) if row["state_new"] == "established")
        rows.insert(at, dict(rows[at]))
        return renumber(rows)

    def invent(rows):
        row = dict(next(row for row in rows if row["state_new"] == "established"))
        row.update(connection_id="00000000deadbeef", local_port="9", state_old="established", state_new="closed")
        rows.append(row)
        return renumber(rows)

    def mix(rows):
        at = next(at for at, row in enumerate(rows) if at and row["source"] == rows[at - 1]["source"] == "event")
        rows[at]["timestamp_unix_nano"], rows[at - 1]["timestamp_unix_nano"] = (
            rows[at - 1]["timestamp_unix_nano"], rows[at]["timestamp_unix_nano"])
        return True

    for name, edit in (("a row left out", drop), ("a row twice", double), ("a row made up", invent), ("two times swapped", mix)):
        yield Change(f"csv {name}", edit)


def renumber(rows):
    for number, row in enumerate(rows, 1):
        row["sequence"] = str(number)
    return True


def step_changes():
    """Each key of a step and of an end in `lifecycle`."""
    def step_edit(key):
        def edit(words, text):
            lines = text.splitlines()
            for at, line in enumerate(lines):
                record = json.loads(line)
                if not (record.get("closer") == "client" and record["server"]["observed"] and record["client"]["observed"]):
                    continue
                for step in record["steps"]:
                    if key in step and step["basis"] == "observed" and step.get("step") in (1, 2, 5, None) and (
                            key not in ("state_duration_ns", "time_unix_nano") or step.get("state_new") == "fin_wait_1"):
                        step[key] = wrong_step(step[key], key)
                        lines[at] = json.dumps(record)
                        return "\n".join(lines), True
            return text, False
        return edit

    for key in ("time_unix_nano", "flags", "sequence", "acknowledgement", "state_new", "state_client", "state_server", "act",
                "actor", "state_duration_ns", "reason"):
        yield f"lifecycle {key}", "lifecycle", step_edit(key)
    for key in ("network.local.address", "network.local.port", "tcp.netns", "tcp.role", "process.pid", "network.connection.state",
                "tcp.initial_send_sequence", "tcp.bytes_sent", "tcp.retransmits", "tcp.connection_id"):
        yield f"lifecycle {key}", "lifecycle", end_edit(key)
    for key in ("closer", "reason"):
        yield f"lifecycle {key} of a connection", "lifecycle", record_edit(key)
    yield "lifecycle a step left out", "lifecycle", record_edit("steps")


def wrong_step(value, key):
    if key == "flags":
        return ["SYN", "FIN"]
    if key == "time_unix_nano":
        return str(int(value) - 400_000_000)
    if key == "actor":
        return "server" if value == "client" else "client"
    if key.startswith("state_") and not value.isdigit():
        return "closing"
    if isinstance(value, int):
        return (value + 5) % 2**32
    return str(int(value) + 10**9) if value.isdigit() else value + "x"


def end_edit(key):
    def edit(words, text):
        lines = text.splitlines()
        for at, line in enumerate(lines):
            record = json.loads(line)
            stated = record["server"]
            if stated.get("observed") and key in stated and record["client"]["observed"] and record.get("closer"):
                value = stated[key]
                stated[key] = value + 7_000_000 if isinstance(value, int) else other(value)
                lines[at] = json.dumps(record)
                return "\n".join(lines), True
        return text, False
    return edit


def record_edit(key):
    def edit(words, text):
        lines = text.splitlines()
        for at, line in enumerate(lines):
            record = json.loads(line)
            if record.get("closer") == "client" and record.get("reason") == "fin":
                if key == "steps":
                    record["steps"] = [s for s in record["steps"] if s.get("state_new") != "close_wait"]
                else:
                    record[key] = {"closer": "server", "reason": "refused"}[key]
                lines[at] = json.dumps(record)
                return "\n".join(lines), True
        return text, False
    return edit


def table_edit(name, wants=lambda row: True):
    """A cell of a CSV that a view has written."""
    def edit(words, text):
        rows = list(csv.DictReader(io.StringIO(text)))
        for row in rows:
            if row.get(name) and wants(row):
                row[name] = str(int(row[name]) * 3 + 10**9) if name.endswith("_ns") else other(row[name])
                target = io.StringIO()
                writer = csv.DictWriter(target, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)
                return target.getvalue(), True
        return text, False
    return edit


def view_changes():
    for name in ("stays", "p50_ns", "p90_ns", "p99_ns", "longest_ns", "total_ns", "open_now"):
        yield f"summary {name}", "summary", table_edit(name, lambda row: row["state"] == "established")
    yield "perfetto duration", "report", regex_edit("perfetto", r'("cat":"stay","name":"ESTABLISHED".*?"duration_ns":")(\d+)')
    yield "perfetto time", "report", regex_edit("perfetto", r'("ts":)(\d{7,})(?=\.\d+,"dur":\d+\.\d+,"cat":"stay","name":"ESTABLISHED")')
    yield "perfetto a slice renamed", "report", regex_edit("perfetto", r'("cat":"stay","name":")(ESTABLISHED)', "CLOSING")
    yield "page totals", "report", regex_edit("page", r'("ends":)(\d+)')
    yield "page rows", "report", regex_edit("page", r'("rows":)(\d+)')
    yield "page duration", "report", regex_edit("page", r'(\[\[\["[0-9a-f]{16}",1,\d+,"wire-c\d".*?,7,2,null,0,\d+,2,\d,)(\d+)')
    yield "page port", "report", regex_edit("page", r'(\[\[\["[0-9a-f]{16}",1,\d+,"wire-c\d","[^"]*",)(\d+)')
    yield "page process", "report", regex_edit("page", r'(\[\[\["[0-9a-f]{16}",1,)(\d+)')
    for name in ("state", "state_duration_ns", "process_pid", "local_address", "local_port", "peer_port", "network_type",
                 "connection_id"):
        yield f"stuck --read {name}", "stuck", table_edit(
            name, lambda row: row["state"] == "established" and row["process_name"].startswith("wire-c"))


def regex_edit(which, pattern, value=None):
    def edit(words, text):
        if ("perfetto" in words) != (which == "perfetto"):
            return text, False
        found = re.search(pattern, text)
        if not found:
            return text, False
        return text[:found.start(2)] + (value or other(found[2])) + text[found.end(2):], True
    return edit


def look_changes():
    def cell(name):
        change = table_edit(name, lambda row: row["state"] in ("established", "close_wait") and row["verdict"] == "held")

        def edit(looks):
            for look in looks:
                look["text"], done = change((), look["text"])
                if done:
                    return True
            return False
        return edit

    def status(looks):
        looks[0]["status"] = 3
        return True

    def row(looks):
        for look in looks:
            lines = look["text"].splitlines(True)
            at = next((at for at, line in enumerate(lines) if at and ",held," in line and ",established," in line), None)
            if at and any(word in lines[at] for word in ("wire-c",)):
                del lines[at]
                look["text"] = "".join(lines)
                return True
        return False

    for name in ("state", "state_duration_ns", "verdict", "holders", "local_address", "local_port", "peer_port", "network_type",
                 "connection_id", "unread_bytes"):
        yield f"stuck {name}", cell(name)
    yield "stuck's exit status", status
    yield "stuck a row left out", row
