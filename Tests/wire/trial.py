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
    return path


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


def judge(folder, binary, outputs=None, loaded=None):
    """The tally of all facts, what the run noted, and the ends."""
    facts, ends, calls = loaded or load(folder)
    outputs = outputs or Outputs(binary, folder)
    tally = Tally()
    found = Judge(ends, calls, facts, tally)
    found.words = declared(outputs)
    path = ours(folder, {str(inode) for inode in facts["netns"].values()})
    outputs.recording(path)
    found.gaps(f"{folder}/trace.csv")
    found.all(path)
    Ladder(found).all(outputs.text("lifecycle", "--read", path, "--format", "jsonl"))
    views = Views(found, outputs, path)
    views.summary()
    views.perfetto()
    views.page()
    held = Held(found, found.words.get("verdict", set()))
    held.looks(outputs.looks(facts["looks"]))
    held.recorded(outputs, path, facts["looks"])
    return tally, facts, ends
