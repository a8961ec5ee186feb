# SPDX-License-Identifier: Apache-2.0
"""One judgement of what a run has left in its folder."""
import csv
import json
import re
import subprocess

import ends as joined
import machine
from held import Held
from ladder import Ladder
from measures import Judge
from tally import Tally
from views import Views


def ours(folder, netns):
    """The recording without what others did on the machine meanwhile, numbered anew."""
    path = f"{folder}/ours.csv"
    with open(f"{folder}/trace.csv", newline="") as source, open(path, "w", newline="") as target:
        reader = csv.DictReader(source, strict=True)
        writer = csv.DictWriter(target, reader.fieldnames, lineterminator="\n")
        writer.writeheader()
        number = 0
        for row in reader:
            if row["netns"] in netns and not (row["actor_name"] == "bash" or row["process_name"] == "bash"):
                number += 1
                row["sequence"] = number
                writer.writerow(row)


class Outputs:
    """What the product makes of the recording; a self-test puts falsified ones in their place."""

    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder

    def recording(self, path):
        """The recording itself, before it is read."""

    def looks(self, looks):
        """What `stuck` found while the connections were there."""
        return looks

    def run(self, *words):
        return subprocess.run([self.binary, *words], capture_output=True, timeout=300)

    def text(self, *words):
        done = self.run(*words)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(words)}: status {done.returncode}: {done.stderr.decode()[-300:]}")
        return done.stdout.decode()

    def file(self, name, *words):
        path = f"{self.folder}/{name}"
        self.text(*words, "--output", path)
        with open(path) as file:
            return file.read()


def declared(outputs):
    """The words of each column, from the page about the columns that the program prints."""
    found = {}
    for line in outputs.text("schema", "--format", "markdown").splitlines():
        cells = line.split("|")
        if len(cells) == 4:
            for column in re.findall("`([a-z_]+)`", cells[1]):
                found.setdefault(column, set()).update(re.findall("`([^`]+)`", cells[2]))
    return found


def load(folder):
    with open(f"{folder}/run.json") as file:
        facts = json.load(file)
    ends, calls = joined.collect(folder)
    machine.replay(ends, calls, facts["finish"])
    return facts, ends, calls


class Trial:
    """One judgement of a run, in parts: the rows first, because the others look at the ends that they are joined to."""

    PARTS = "rows", "ladder", "views", "held"

    def __init__(self, folder, outputs, loaded=None):
        self.folder = folder
        self.facts, self.ends, self.calls = loaded or load(folder)
        self.outputs = outputs
        self.path = f"{folder}/ours.csv"
        self.words = declared(outputs)
        self.tally = Tally()

    def part(self, name):
        """A tally of this part alone."""
        self.tally = Tally()
        getattr(self, name)()
        return self.tally

    def all(self):
        for name in self.PARTS:
            getattr(self, name)()
        return self.tally

    def rows(self):
        self.found = Judge(self.ends, self.calls, self.facts, self.tally)
        self.found.words = self.words
        ours(self.folder, {str(inode) for inode in self.facts["netns"].values()})
        self.outputs.recording(self.path)
        self.found.gaps(f"{self.folder}/trace.csv")
        self.found.all(self.path)

    def ladder(self):
        self.found.tally = self.tally
        Ladder(self.found).all(self.outputs.text("lifecycle", "--read", self.path, "--format", "jsonl"))

    def views(self):
        self.found.tally = self.tally
        views = Views(self.found, self.outputs, self.path)
        views.summary()
        views.perfetto()
        views.page()

    def held(self):
        self.found.tally = self.tally
        held = Held(self.found, self.words.get("verdict", set()))
        held.looks(self.outputs.looks(self.facts["looks"]))
        held.recorded(self.outputs, self.path, self.facts["looks"])
