#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what tracing costs, side by side with other tools; `make bench` runs it.

Everything runs in one go, in turns, for BENCH_ROUNDS (5) rounds; medians are printed. Raw numbers go to
bench/results/SECTION.json, and bench/RESULTS.md is made from all that are there, and from limits.md and others.md.
ONLY=churn,idle runs some of the sections; BENCH_CONNECTIONS (50000) sets the load.
"""

import contextlib
import datetime
import json
import os
import signal
import sys
import tempfile

import consumers
import sections
from harness import CHURN, HERE, ROUNDS, Failure, machine, progress, running

RESULTS = HERE / "RESULTS.md"
FOLDER = HERE / "results"


def usable(folder):
    """The tracers that start, and for the others the reason why they don't."""
    found, missing = [], []
    for make in (consumers.Ours, consumers.InKernel, consumers.Tcpstates, consumers.Tcplife, consumers.Bpftrace):
        try:
            consumer = make()
            process = consumer.start(os.path.join(folder, "try"))
            process.wait_attached(consumer.blind_seconds)
            process.stop()
            found.append(consumer)
        except Failure as failure:
            missing.append(f"without {make.name}: {failure}")
    return found, missing


def as_text(header, rows):
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.rjust(width) if i else cell.ljust(width)
                  for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in [header, *rows])


def as_markdown(header, rows):
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def own(path):
    """Files written under sudo belong to the user who called it."""
    if "SUDO_UID" in os.environ:
        os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def keep(name, made, facts):
    FOLDER.mkdir(exist_ok=True)
    own(FOLDER)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps({"facts": facts, "sections": made}, indent=1, ensure_ascii=False) + "\n")
    own(path)


def write_results():
    kept = [json.loads((FOLDER / f"{name}.json").read_text())
            for name in sections.ALL if (FOLDER / f"{name}.json").exists()]
    targets = [t for part in kept for s in part["sections"] for t in s["targets"]]
    text = "# Results of `make bench`\n\n"
    text += as_markdown(["target", "limit", "measured", "met"],
                        [[what, limit, seen, "yes" if met else "**no**"] for what, limit, seen, met in targets])
    for part in kept:
        for s in part["sections"]:
            text += f"\n\n## {s['title']}\n\n{as_markdown(s['header'], s['rows'])}\n\n"
            text += "; ".join(part["facts"]) + "."
    how = sections.__doc__.split("How it is measured:\n")[1]
    by_hand = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("limits.md", "others.md"))
    RESULTS.write_text(f"{text}\n\n## How it is measured\n\n{how}\n{by_hand}", encoding="utf-8")
    own(RESULTS)


def chosen(only):
    """Sections by their names, or by how these begin; all if none is given."""
    wanted = [name for name in only.split(",") if name]
    for name in wanted:
        if not any(known.startswith(name) for known in sections.ALL):
            raise Failure(f"no section {name}; there are {', '.join(sections.ALL)}")
    return [known for known in sections.ALL if not wanted or any(known.startswith(name) for name in wanted)]


def bench(folder):
    names = chosen(os.environ.get("ONLY", ""))
    tracers, missing = usable(folder)
    facts = [machine(), *(c.version() if c.name in c.version() else f"{c.name} {c.version()}" for c in tracers),
             *missing, f"medians of {ROUNDS} rounds",
             datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")]
    print("\n".join(facts))
    for name in names:
        made = sections.ALL[name](tracers, folder)
        progress("")
        for s in made:
            print(f"\n{s['title']}\n{as_text(s['header'], s['rows'])}", flush=True)
            for what, limit, seen, met in s["targets"]:
                print(f"{'met' if met else 'NOT met'}: {what}: {seen} ({limit})", flush=True)
        keep(name, made, facts)
        write_results()
    print(f"\nWritten to {RESULTS}")


def main():
    if os.geteuid() != 0:
        sys.exit("bench: tracing needs root: make bench")
    if not os.access(CHURN, os.X_OK):
        sys.exit(f"bench: {CHURN} is missing: make bench builds it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="tcpstate-bench-") as folder:
            bench(folder)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        for child in running:
            with contextlib.suppress(OSError):
                child.kill()


if __name__ == "__main__":
    main()
