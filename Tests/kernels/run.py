#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tracer on the kernels of kernels.txt, each in a QEMU guest.

    run.py BINARY [--only NAME,...] [--write] [--if-fetched] | run.py --refresh

Exits with 0 if every kernel showed exactly what expected.txt says; with 1 if one
did not, or the harness fails its own tests; with 75 if some could not be fetched
and the others passed (with --if-fetched: 0).
"""

import argparse
import concurrent.futures
import pathlib
import sys
import tempfile

import checks
import fetch
import guest
import selftest
import table

AT_ONCE = 2
FETCH_FAILED = 75  # EX_TEMPFAIL, sysexits.h


def main():
    options = parse()
    if not options.refresh:
        return run(options)
    try:
        fetch.refresh()
        return 0
    except fetch.FetchError as error:
        print(f"refresh-kernels: {error}", file=sys.stderr)
        return FETCH_FAILED


def parse():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--if-fetched", action="store_true")
    parser.add_argument("--refresh", action="store_true")
    options = parser.parse_args()
    if not options.refresh and not options.binary:
        parser.error("name the tracer's binary")
    return options


def run(options):
    names = [name for name in options.only.split(",") if name]
    pins = [pin for pin in fetch.pins() if not names or pin.name in names]
    if not pins or len(names) > len(pins):
        print(f"test-kernels: no such kernel: {options.only}; see Tests/kernels/kernels.txt", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="test-kernels-") as folder:
        guests, missing = prepare(pins, options.binary, folder)
        small = [kernel for pin, kernel, _ in guests if pin.arch == "amd64"]
        own = selftest.tests(small[0], folder) if small and not names else []
        features, releases, failures = run_all(guests, own)
    if not failures and not missing and not names:
        failures += table.check(features, releases, options.write)
    print(f"{max(0, len(guests) - failures)} passed, {failures} failed, {missing} skipped")
    if failures or not missing:
        return 1 if failures else 0
    return 0 if options.if_fetched else FETCH_FAILED


def prepare(pins, binary, folder):
    """What to boot for each kernel that could be fetched, and how many could not; reports each of these."""
    guests, archives, missing = [], {}, 0
    for pin in pins:
        try:
            kernel = fetch.kernel(pin)
            if pin.arch not in archives:
                archives[pin.arch] = guest.initramfs(pin.arch, binary, folder)
            guests.append((pin, kernel, archives[pin.arch]))
        except fetch.FetchError as error:
            missing += 1
            print(f"NOT TESTED {pin.name}: it could not be fetched: {error}")
    if missing:
        print("Pinned versions are in Tests/kernels/kernels.txt; make refresh-kernels renews them.")
    return guests, missing


def run_all(guests, own):
    """Boots all of them, and runs the harness's own tests meanwhile."""
    expected = table.expected()
    features, releases, failures = {}, {}, 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        tests = [pool.submit(test) for test in own]
        runs = [(pin, pool.submit(guest.boot, pin.arch, kernel, archive)) for pin, kernel, archive in guests]
        for pin, boot in runs:
            outcome = boot.result()
            trouble, features[pin.name] = judge(pin, outcome, expected)
            releases[pin.name] = outcome.release
            failures += report(pin, outcome, trouble)
        for test in tests:
            trouble = test.result()
            failures += bool(trouble)
            if trouble:
                print(f"FAILED the harness itself: {trouble}")
    if own:
        print(f"{len(own)} tests of the harness itself")
    return features, releases, failures


def judge(pin, outcome, expected):
    """What was not as expected, and the features that were seen."""
    failure = outcome.failure()
    if failure:
        return [failure], {}
    find = checks.tracer_features if pin.arch == "amd64" else checks.probe_features
    try:
        seen = find(outcome)
    except (KeyError, IndexError, ValueError) as error:
        return [f"the guest's files can't be read: {error!r}"], {}
    trouble = []
    for feature, cells in expected.items():
        wanted = cells[pin.name]
        if wanted == "-":
            continue
        if feature not in seen:
            trouble.append(f"{feature} was not checked")
        elif wanted == "yes" and seen[feature]:
            trouble.append(f"{feature}: {seen[feature]}")
        elif wanted == "no" and seen[feature] is None:
            trouble.append(f"{feature} is there, but expected.txt says that it is not")
    trouble += [f"{feature} is not in expected.txt" for feature in seen if feature not in expected]
    return trouble, seen


def report(pin, outcome, trouble):
    log = fetch.REPOSITORY / ".build" / "kernel-logs" / f"{pin.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(outcome.text)
    skipped = [feature for feature, cells in table.expected().items() if cells[pin.name] == "no"]
    words = f"; without {', '.join(skipped)}" if skipped else ""
    print(f"{'FAILED' if trouble else 'ok    '} {pin.name:<11} {outcome.release} in {outcome.seconds:.0f} s{words}")
    for line in trouble:
        print(f"       {line}")
    if trouble:
        print(f"       its console: {log}")
    sys.stdout.flush()
    return bool(trouble)


if __name__ == "__main__":
    sys.exit(main())
