"""Tests the referee: each cell of each kind of output is falsified once, and each falsehood has to be noticed."""
import csv
import io
import json
import random
import re

import trial


class Change:
    """One change to one output: `what` names it, `edit` makes it and says whether it found something to change."""

    def __init__(self, what, edit):
        self.what = what
        self.edit = edit


class Falsified(trial.Outputs):
    """Outputs of the product, taken once, with one of them changed."""

    def __init__(self, binary, folder, cache):
        super().__init__(binary, folder)
        self.cache = cache
        self.changes = {}
        self.row_change = None
        self.look_change = None
        self.done = False

    def recording(self, path):
        if self.row_change:
            with open(path, newline="") as file:
                rows = list(csv.DictReader(file))
            self.done = self.row_change(rows)
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)

    def looks(self, looks):
        if self.look_change:
            looks = json.loads(json.dumps(looks))
            self.done = self.look_change(looks)
        return looks

    def text(self, *words):
        return self.changed(words, lambda: trial.Outputs.text(self, *words))

    def file(self, name, *words):
        return self.changed(words, lambda: trial.Outputs.file(self, name, *words))

    def changed(self, words, make):
        key = " ".join(words)
        if key not in self.cache:
            self.cache[key] = make()
        text = self.cache[key]
        for name, edit in self.changes.items():
            if words[0] == name and not self.done:
                text, self.done = edit(words, text)
        return text


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


SHARED = 40  # falsehoods about rows that are tried at once, each in a row of its own


def all_at_once(changes, noticed):
    """Falsehoods in as many cells of one recording; each has to be noticed as one of its own column."""
    made = set()

    def edit(rows):
        left = list(range(len(rows)))
        for change in changes:
            here = [rows[at] for at in left]
            before = [dict(row) for row in here]
            if change.edit(here):
                made.add(change.what)
                touched = {row["connection_id"] for row, old in zip(here, before) if row != old}
                left = [at for at in left if rows[at]["connection_id"] not in touched]
        return True
    tally = noticed(edit)
    return made, tally


class Test:
    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        self.loaded = trial.load(folder)
        self.cache = {}
        self.plain = trial.Trial(folder, self.outputs(), self.loaded)
        self.base = {part: self.plain.part(part) for part in trial.Trial.PARTS}
        self.unnoticed, self.missing, self.count = [], [], 0

    def outputs(self, **changes):
        made = Falsified(self.binary, self.folder, self.cache)
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def rows(self, edit):
        """The tally of the rows after an edit, or None if they can't even be read; and whether there was something to edit."""
        outputs = self.outputs(row_change=edit)
        try:
            tally = trial.Trial(self.folder, outputs, self.loaded).part("rows")
        except (KeyError, ValueError, IndexError, TypeError):
            tally = None
        return tally, outputs.done

    def note(self, what, done, noticed):
        self.count += 1
        if not done:
            self.missing.append(what)
        elif not noticed:
            self.unnoticed.append(what)

    @staticmethod
    def more(tally, base, column=None):
        """Whether more is wrong or unknown than before, of one column or at all."""
        def total(counter):
            return sum(number for key, number in counter.items() if column is None or key[1] == column)
        return tally is None or total(tally.wrong) > total(base.wrong) or total(tally.unknown) > total(base.unknown)

    def columns(self, changes, identity):
        """Those that name a socket change what belongs together, so they are tried alone; the others together."""
        alone = [change for change in changes if change.what.split()[1].rstrip(",") in identity]
        rest = [change for change in changes if change not in alone]
        for change in alone:
            tally, done = self.rows(change.edit)
            self.note(change.what, done, self.more(tally, self.base["rows"]))
        for at in range(0, len(rest), SHARED):
            made, tally = all_at_once(rest[at:at + SHARED], lambda edit: self.rows(edit)[0])
            for change in rest[at:at + SHARED]:
                column = change.what.split()[1].rstrip(",")
                self.note(change.what, change.what in made, self.more(tally, self.base["rows"], column))

    def part(self, part, what, **change):
        """A falsehood in an output that is made from the rows, which stay as they are."""
        self.plain.outputs = self.outputs(**change)
        try:
            tally = self.plain.part(part)
        except (KeyError, ValueError, IndexError, TypeError):
            tally = None
        self.note(what, self.plain.outputs.done, self.more(tally, self.base[part]))


IDENTITY = ("connection_id", "netns", "local_address", "local_port", "peer_address", "peer_port", "state_old", "state_new",
            "timestamp_unix_nano", "timestamp", "sequence", "actor_pid", "actor_name", "role", "source")


def main(folder, binary):
    """Each falsehood must make a fact wrong, or a known one unknown; the exit status."""
    test = Test(folder, binary)
    truth = [sum(counts) for counts in zip(*(tally.totals() for tally in test.base.values()))]
    print(f"without falsehoods: {truth[0]} right, {truth[1]} wrong, {truth[2]} unknown; {len(test.plain.ends)} sockets")
    with open(f"{folder}/ours.csv", newline="") as file:
        names = next(csv.reader(file))
    changes = list(row_changes(names, random.Random(5)))
    test.columns([change for change in changes if "emptied" not in change.what], IDENTITY)
    test.columns([change for change in changes if "emptied" in change.what], IDENTITY)
    for change in structure_changes():
        tally, done = test.rows(change.edit)
        test.note(change.what, done, test.more(tally, test.base["rows"]))
    test.plain.part("rows")  # with the rows as they are
    for what, command, edit in step_changes():
        test.part("ladder", what, changes={command: edit})
    for what, command, edit in view_changes():
        test.part("held" if command == "stuck" else "views", what, changes={command: edit})
    for what, edit in look_changes():
        test.part("held", what, look_change=edit)
    print(f"{test.count} falsehoods: {test.count - len(test.unnoticed) - len(test.missing)} noticed")
    for what in test.unnoticed:
        print(f"  not noticed: {what}")
    for what in test.missing:
        print(f"  nothing to falsify in this run: {what}")
    return 1 if test.unnoticed else 0
