# SPDX-License-Identifier: Apache-2.0
"""Tests the referee: each cell of each kind of output is falsified once, and each falsehood has to be noticed."""
import csv
import json
import random

import trial
from falsehoods import look_changes, row_changes, step_changes, structure_changes, view_changes


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
