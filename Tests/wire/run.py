#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent referee: makes connections, captures them, and compares every fact of tcpstate-trace with them.

    run.py BINARY [--connections N] [--seed S] [--keep DIR] [--only SCENE,…]    as root
    run.py BINARY --read DIR          judges what a run with --keep has left, without root
    run.py BINARY --self-test         falsifies the outputs cell by cell; each change has to be noticed

Exits with 1 if a fact is wrong, or unknown without a reason in docs/states.md.
"""
import argparse
import asyncio
import collections
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time

from playing import drive
import falsify
import held
import trial
from documented import documented
from playing.world import World

MARK = "<!-- figures -->"
TIME_WAIT_SECONDS = 67  # 60, and what the kernel's timers take longer


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--connections", type=int, default=300, metavar="N", help="how many scenes, most of one connection (300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=40, help="scenes per second (40)")
    parser.add_argument("--only", default="", help="these scenes, by name")
    parser.add_argument("--keep", metavar="DIR", help="keep captures, logs and outputs there")
    parser.add_argument("--read", metavar="DIR", help="judge what an earlier run has kept")
    parser.add_argument("--no-time-wait", action="store_true", help="don't wait for the first TIME-WAITs to end")
    parser.add_argument("--examples", type=int, default=1, help="examples of each kind (1)")
    parser.add_argument("--write", metavar="FILE", help="put the figures into this page, below its line of <!-- figures -->")
    parser.add_argument("--self-test", action="store_true", help="falsify outputs, and demand that it is noticed")
    return parser.parse_args()


def looks(world, found, pause):
    """Looks at what is open, every so many seconds while scenes run."""
    async def watch(stage):
        while not stage.done:
            await asyncio.sleep(pause)
            for side in "AB":
                before = time.time_ns()
                process = await asyncio.create_subprocess_exec(
                    world.binary, "stuck", "--netns", world.path(side), "--state", held.STATES, "--older-than", "0s",
                    "--format", "csv", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
                text, _ = await process.communicate()
                found.append({"side": side, "t0": before, "t1": time.time_ns(), "status": process.returncode, "text": text.decode()})
    return watch


def play(given, folder):
    """Makes the connections; everything that is known of them is in the folder afterwards."""
    with World(os.path.abspath(given.binary), folder, given.seed) as world:
        tracers = []
        facts = {"netns": world.netns, "control": world.control, "cgroups": world.cgroup_ids(), "looks": []}
        begun = time.monotonic()
        only = [name for name in given.only.split(",") if name]

        def start_tracer():
            facts["asked"] = time.time_ns()
            tracers.append(world.start_tracer())
            facts["begun"] = time.time_ns()

        failures = asyncio.run(drive.perform(world, given.connections, given.seed, given.rate, only, start_tracer,
                                             looks(world, facts["looks"], max(2, given.connections / given.rate / 40))))
        tracer = tracers[0]
        if not given.no_time_wait:
            time.sleep(max(0, begun + TIME_WAIT_SECONDS - time.monotonic()))
        facts["finish"] = time.time_ns()
        world.end(tracer)
        facts["status"] = tracer.returncode
        world.stop_captures()
        world.stop_agents()
        facts["dropped"] = world.dropped
        facts["failures"] = failures
        tracer.messages.seek(0)
        lines = tracer.messages.read().decode().strip().splitlines()
        facts["closing"] = next((line for line in reversed(lines) if " lost" in line), "")
    with open(f"{folder}/run.json", "w") as file:
        json.dump(facts, file)


def lost(facts):
    """Whether the tracer says that it has lost events."""
    return any(not text.startswith("0 ") for text in re.findall(r"[0-9,]+ lost", facts["closing"]))


def write(given, tally, facts, scenes, sockets):
    """The figures in docs/TRUTH.md."""
    with open(given.write) as file:
        page = file.read()
    head = page[:page.index(MARK) + len(MARK)]
    run = f"{sum(scenes.values()):,} connections of {len(scenes)} kinds, {sockets:,} sockets, seed {given.seed}, Linux {os.uname().release}."
    with open(given.write, "w") as file:
        file.write("\n".join([head, "", run, "", *tally.figures(documented)]) + "\n")


def show(given, folder):
    """Judges and prints; the exit status."""
    found = trial.Trial(folder, trial.Outputs(os.path.abspath(given.binary), folder))
    tally, facts, ends = found.all(), found.facts, found.ends
    scenes = collections.Counter(end.scene for end in ends if end.role == "client")
    print(f"{sum(scenes.values())} connections of {len(scenes)} kinds, {len(ends)} sockets, seed {given.seed}; {facts['closing']}")
    print("\n".join(tally.report(documented, given.examples)))
    if given.write:
        write(given, tally, facts, scenes, len(ends))
    for failure in facts["failures"]:
        print(f"a scene failed: {failure}")
    if facts["dropped"]:
        print(f"tcpdump missed {facts['dropped']} packets: nothing can be said")
        return 2
    if lost(facts):
        print("the tracer has lost events, which other programs on this machine may have caused: nothing can be said")
        return 2
    right, wrong, _ = tally.totals()
    undocumented = tally.undocumented(documented)
    print(f"{right} right, {wrong} wrong, {undocumented} unknown without a documented reason")
    return 1 if wrong or undocumented or not right else 0


def main():
    given = options()
    if given.read:
        return falsify.main(given.read, os.path.abspath(given.binary)) if given.self_test else show(given, given.read)
    if os.geteuid():
        sys.exit("Tests/wire/run.py: not root: network namespaces and tracing need it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that namespaces and processes go
    folder = given.keep or tempfile.mkdtemp(prefix="wire-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o1777)  # agents of other users write their logs there
    try:
        play(given, folder)
        if given.self_test:
            return falsify.main(folder, os.path.abspath(given.binary))
        return show(given, folder)
    except RuntimeError as error:
        sys.exit(f"Tests/wire/run.py: {error}")
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
