#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes small changes to the sources, one at a time, and counts those that no test notices.

MUTATE_COUNT (200) changes are chosen by MUTATE_SEED (1) among all of Core, Live, and Report's readers and advice.
MUTATE_SITES="TimerWheel.swift:43 ..." tries all changes of these lines instead, or first if MUTATE_COUNT is set.
Survivors that no test can notice are listed in equivalent.txt with the reason. Fails if fewer than MUTATE_LEAST (92)
percent of the others are noticed.
"""
import glob
import hashlib
import json
import os
import random
import re
import resource
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import schemata
import sites as finding

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(ROOT, ".build/mutate")
EQUIVALENT = os.path.join(ROOT, "Tests/mutation/equivalent.txt")
ROOMS = ["Sources/TCPStateCore/*/*.swift", "Sources/TCPStateLive/*.swift", "Sources/TCPStateReport/Reading/*.swift",
         "Sources/TCPStateReport/Stuck/*.swift"]
MEMORY = 6 << 30
# Some that are chosen don't compile.
SPARE = 1.1
# These only run with a kernel to trace; the privileged tests take too long to run for each change.
PRIVILEGED = re.compile(r"/(?:LiveStream[^/]*|KernelSource\+Live|WakeUp)\.swift$")


def all_sites(seed):
    result = []
    for pattern in ROOMS:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
            name = os.path.relpath(path, ROOT)
            if PRIVILEGED.search(name):
                continue
            # Its own for each file: changes elsewhere choose no other constants.
            with open(path, encoding="utf-8") as file:
                result += finding.find(name, file.read(), random.Random(f"{seed} {name}").choice)
    return result


def sample(found, count, seed):
    """By seed, and by each place's own text, so that changes elsewhere in the sources choose no others."""
    chosen = []
    for site in sorted(found, key=lambda site: hashlib.sha256(repr((seed, site.key)).encode()).digest()):
        if len(chosen) == count:
            break
        if not any(overlap(site, other) for other in chosen):
            chosen.append(site)
    return chosen


def refused(more=()):
    """What didn't compile in earlier runs needn't be tried again; adds `more`."""
    path = os.path.join(OUT, "refused.json")
    known = set()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            known = {tuple(key) for key in json.load(file)}
    if more:
        known |= {site.key for site in more}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(sorted(known), file, indent=1)
    return known


def overlap(one, other):
    """What is copied by a swap of neighbours has no other change in it."""
    if one.path != other.path or "table" not in (one.kind, other.kind):
        return False
    return one.start < other.end and other.start < one.end


def named(found, words):
    """All sites of the lines that MUTATE_SITES names."""
    result = []
    for word in words:
        name, _, line = word.rpartition(":")
        hits = [site for site in found if site.path.endswith(name) and site.line == int(line)]
        if not hits:
            raise SystemExit(f"mutate: nothing to change at {word}")
        result += [site for site in hits if site not in result]
    chosen = []
    for site in sorted(result, key=lambda site: site.kind == "table"):
        if not any(overlap(site, other) for other in chosen):
            chosen.append(site)
    return chosen


def equivalents():
    """Blocks of path, line, change ("any" for all of the line's) and the reason's lines, separated by empty lines."""
    result = {}
    with open(EQUIVALENT, encoding="utf-8") as file:
        text = "\n".join(line for line in file.read().split("\n") if not line.startswith("#"))
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.split("\n")]
        if len(lines) >= 4:
            result[tuple(lines[:3])] = " ".join(lines[3:])
        elif block.strip():
            raise SystemExit(f"mutate: equivalent.txt: a block needs four lines or more: {lines[0]}")
    return result


def suites(path):
    """A filter for the tests of the same room; None if it has none."""
    module, *room = path.split("/")[1:-1]
    folder = os.path.join(ROOT, "Tests", module.removeprefix("TCPState"), *room)
    names = []
    for file in sorted(glob.glob(os.path.join(folder, "*.swift"))):
        with open(file, encoding="utf-8") as source:
            names += re.findall(r"^(?:@\w+(?:\([^\n]*\))? ?)*(?:final )?(?:struct|class) (\w+Tests)\b", source.read(), re.M)
    return rf"{module}Tests\.({'|'.join(names)})/" if names else None


class Tests:
    """Runs of the test bundle."""

    def __init__(self, bundle, folder):
        self.bundle, self.folder = bundle, folder
        self.timeout = 600.0

    def run(self, number, only=None):
        """What noticed the mutant: a test's name, `crash` or `hang`; None if nothing did."""
        command = [self.bundle, "--testing-library", "swift-testing"]
        command += ["--filter", only] if only else []
        environment = {**os.environ, "MUTANT": str(number), "SWIFT_BACKTRACE": "enable=no", "NO_COLOR": "1"}
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, text=True, errors="replace", stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
        hung = threading.Event()
        timer = threading.Timer(self.timeout, lambda: (hung.set(), process.kill()))
        timer.start()
        noticed, passed = None, False
        try:
            for line in process.stdout:
                if match := re.search(r"✘ Test (.*?) recorded an issue", line):
                    noticed = match.group(1)
                    break
                passed = passed or "✔ Test run with" in line
        finally:
            process.kill()
            timer.cancel()
            process.stdout.close()
            process.wait()
        if noticed:
            return noticed
        return None if passed else "hang" if hung.is_set() else "crash"


def baseline(tests):
    """All tests must pass without a mutant; this also says how long they may take."""
    begin = time.monotonic()
    if failed := tests.run(0):
        raise SystemExit(f"mutate: without any change the tests fail: {failed}")
    took = time.monotonic() - begin
    tests.timeout = max(30.0, 6 * took)
    print(f"without a change all tests pass in {took:.1f} s", flush=True)


def judge(tests, number, site):
    begin = time.monotonic()
    near = suites(site.path)
    noticed = (tests.run(number, near) if near else None) or tests.run(number)
    return {"path": site.path, "line": site.line, "code": site.code, "kind": site.kind, "change": site.change,
            "noticed": noticed, "seconds": round(time.monotonic() - begin, 2)}


def report(results, known, least):
    survivors = [result for result in results if not result["noticed"]]
    listed = [s for s in survivors if any((s["path"], s["code"], change) in known for change in (s["change"], "any"))]
    open_ = [s for s in survivors if s not in listed]
    for title, some in (("equivalent", listed), ("survived", open_)):
        for result in sorted(some, key=lambda s: (s["path"], s["line"])):
            print(f"{title}  {result['path']}:{result['line']}  {result['change']}\n    {result['code']}")
    kinds = {}
    for result in results:
        kind = kinds.setdefault(result["kind"], [0, 0])
        kind[0] += 1
        kind[1] += result["noticed"] is not None
    for kind, (count, noticed) in sorted(kinds.items()):
        print(f"{kind:12} {noticed:4} of {count:4}")
    counted = len(results) - len(listed)
    noticed = len(results) - len(survivors)
    share = 100 * noticed / counted if counted else 100
    seconds = sum(result["seconds"] for result in results) / max(1, len(results))
    print(f"{len(results)} mutants, {noticed} killed, {len(listed)} equivalent, {len(open_)} survived: "
          f"{share:.1f} % of {counted}; {seconds:.1f} s each")
    return share >= least


def main():
    os.chdir(ROOT)
    count = int(os.environ.get("MUTATE_COUNT", 200))
    seed = int(os.environ.get("MUTATE_SEED", 1))
    least = float(os.environ.get("MUTATE_LEAST", 92))
    jobs = int(os.environ.get("MUTATE_JOBS", os.cpu_count() or 1))
    known = equivalents()
    hopeless = refused()
    found = [site for site in all_sites(seed) if site.key not in hopeless]
    words = os.environ.get("MUTATE_SITES", "").split()
    chosen = named(found, words) if words else []
    if not words or "MUTATE_COUNT" in os.environ:
        chosen += [site for site in sample(found, round(count * SPARE), seed)
                   if not any(site is other or overlap(site, other) for other in chosen)]
    print(f"{len(found)} places to change, {len(chosen)} chosen by seed {seed}; building the tests", flush=True)
    package = schemata.Package(ROOT, os.path.join(OUT, "package"), os.environ.get("SWIFT", "swift"))
    package.prepare(enumerate(chosen, 1))
    dropped = package.build(refused)
    mutants = list(package.mutants.items())[:None if words else count]
    print(f"{len(dropped)} don't compile; trying {len(mutants)}", flush=True)
    tests = Tests(package.bundle(), package.folder)
    baseline(tests)
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(lambda item: judge(tests, *item), mutants):
            results.append(result)
            if not result["noticed"] or os.environ.get("MUTATE_VERBOSE"):
                print(f"{len(results):4}  {result['path']}:{result['line']}  {result['change']}: "
                      f"{result['noticed'] or 'not noticed'}", flush=True)
    with open(os.path.join(OUT, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    sys.exit(0 if report(results, known, least) else 1)


if __name__ == "__main__":
    main()
