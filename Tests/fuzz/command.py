#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes the whole command: mutated recordings through all views.

    command.py BINARY SECONDS FOUND [SEED]

Recordings from Tests/fuzz/corpus and the tests' fixtures are changed at random, by cells, rows, columns and bytes, and read
with every command, format and a few options with values at the ends of their ranges. Each run must end by itself with a
status of the table in docs/reference.md, in bounded time and memory. What it prints must be what its format promises: valid
JSON, CSV with as many cells as columns, a page whose data can be parsed, and no control characters on the terminal. A run that
fails is kept in FOUND with the command line that repeats it.
"""
import csv
import gzip
import html.parser
import io
import json
import os
import pathlib
import random
import re
import resource
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECONDS_EACH = 10
MEGABYTES_EACH = 400

NUMBERS = [0, 1, 2, 9, 100, 255, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64,
           10**19, -1, -2**63]
TEXTS = [b"", b"-", b"\\N", b"None", b"NaN", b"inf", b"1e9", b"1.5", b"0x10", b" 7", b"+1", b"'", b'"', b'""', b'"a""b"', b"=1+1",
         b"\x00", b"\x1b[31m", b"\xe2\x80\xae", b"\xff\xfe", b"\xc2\x9b", b"</script><!--", b"<b>&", b"a" * 5000, b"listen",
         b"closed", b"syn_sent", b"established", b"close_wait", b"fin_wait_2", b"time_wait", b"unknown_99", b"unknown_300",
         b"client", b"server", b"listener", b"event", b"snapshot", b"derived", b"exact", b"at_least", b"fin", b"timeout",
         b"127.0.0.1", b"::", b"::ffff:1.2.3.4", b"fe80::1%eth0", b"ipv6", b"1970-01-01T00:00:00Z", b"1969-12-31T23:59:59Z",
         b"2262-04-11T23:47:16.854775807Z", b"2554-07-21T23:34:33.709551615Z", b"9999-12-31T23:59:60.999999999Z",
         b"2026-02-30T12:00:00Z", b"ffffffffffffffff", b"0000000000000000"]
DURATIONS = ["0s", "1ns", "1ms", "60s", "18446744073s", "18446744073709551615ns", "9223372036854775807ns", "99999999999999h"]
MOMENTS = ["+0s", "+1ns", "+18446744073s", "12:00", "00:00:00", "23:59:60", "1970-01-01T00:00:00Z", "2262-04-11T23:47:16Z",
           "2554-07-21T23:34:33.999999999Z", "9999-12-31T23:59:59+14:00", "0000-01-01T00:00:00-14:00",
           "2026-11-23T21:12:03Z", "2262-04-11T23:47:16.854775807-23:59", "1970-01-01T00:00:00+23:59"]
ZONES = ["UTC", "Asia/Tokyo", "JST-9", "XXX24", "XXX-24:59:59", "<+14>-14", "nonsense"]

STATUSES = {0, 3, 64, 65}


class Page(html.parser.HTMLParser):
    """Collects the data of a report, and how its elements are nested."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.data, self.open, self.isJSON = [], [], False

    def handle_starttag(self, tag, attributes):
        self.isJSON = tag == "script" and ("type", "application/json") in attributes
        if self.isJSON:
            self.data.append("")
        if tag in ("html", "head", "body", "script", "style", "main", "table"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
            self.open.pop()
        self.isJSON = False

    def handle_data(self, data):
        if self.isJSON:
            self.data[-1] += data


def no_constants(name):
    raise ValueError(f"{name} is not JSON")


def unique_keys(pairs):
    assert len(dict(pairs)) == len(pairs), f"a key twice: {pairs}"
    return dict(pairs)


def load(text):
    return json.loads(text, parse_constant=no_constants, object_pairs_hook=unique_keys)


def check_text(text):
    unsafe = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)
    assert not unsafe, f"{unsafe.group()!r} isn't safe on a terminal: {text[max(0, unsafe.start() - 40):unsafe.end() + 9]!r}"


def check_json_lines(text):
    for line in text.split("\n")[:-1]:
        assert isinstance(load(line), dict), line
    assert text == "" or text.endswith("\n"), "the last line has no end"


def check_csv(text):
    assert text == "" or text.endswith("\n"), "the last row has no end"
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    widths = {len(row) for row in rows}
    assert len(widths) <= 1, f"rows of {widths} cells"


def check_page(text, status):
    page = Page()
    page.feed(text)
    page.close()
    if status in (0, 3):
        assert not page.open, f"left open: {page.open}"
        assert text.endswith("</html>\n"), text[-40:]
    for data in page.data[:None if status in (0, 3) else -1]:
        load(data)


def check_perfetto(text, status):
    if status in (0, 3):
        load(text)


def check_anything(text, status):
    check_text(text)


VIEWS = [
    (["trace"], check_anything),
    (["trace", "--format", "csv"], lambda text, status: check_csv(text)),
    (["trace", "--format", "csv", "--columns", "all", "--excel-safe"], lambda text, status: check_csv(text)),
    (["trace", "--format", "jsonl"], lambda text, status: check_json_lines(text)),
    (["trace", "--format", "jsonl", "--columns", "all"], lambda text, status: check_json_lines(text)),
    (["summary"], check_anything),
    (["summary", "--by", "process,state", "--histogram"], check_anything),
    (["summary", "--by", "peer", "--format", "csv"], lambda text, status: check_csv(text)),
    (["summary", "--by", "cgroup,role", "--format", "jsonl"], lambda text, status: check_json_lines(text)),
    (["summary", "--diagram"], check_anything),
    (["summary", "--ends", "--by", "port,process", "--format", "csv"], lambda text, status: check_csv(text)),
    (["stuck"], check_anything),
    (["stuck", "--state", "time-wait"], check_anything),
    (["stuck", "--state", "established,close-wait,syn-sent", "--format", "csv"], lambda text, status: check_csv(text)),
    (["stuck", "--state", "close-wait,time-wait", "--format", "jsonl"], lambda text, status: check_json_lines(text)),
    (["lifecycle"], check_anything),
    (["lifecycle", "--relative", "--time-wait"], check_anything),
    (["lifecycle", "--follow"], check_anything),
    (["lifecycle", "--format", "jsonl"], lambda text, status: check_json_lines(text)),
    (["report"], check_page),
    (["report", "--format", "perfetto"], check_perfetto),
    (["tcpstates"], check_anything),
    (["tcpstates", "-T", "-t", "-w", "--time-wait"], check_anything),
    (["tcpstates", "-s", "-T"], lambda text, status: check_csv(text)),
]


def options(view, chance):
    """A few options that the view takes, with values at the ends of their ranges."""
    added = []
    if chance.random() < 0.3:
        added += ["--longer-than", chance.choice(DURATIONS)]
    if view[0] == "stuck" and "--longer-than" not in added and chance.random() < 0.5:
        added += ["--older-than", chance.choice(DURATIONS)]
    if view[0] == "stuck" and chance.random() < 0.5:
        added += ["--at", chance.choice(MOMENTS)]
    if view[0] == "trace" and chance.random() < 0.2:
        added += ["--count", str(chance.choice([0, 1, 2, 2**63, 2**64 - 1, 2**64]))]
    if view[0] == "summary" and chance.random() < 0.3:
        added += ["--top", str(chance.choice([-1, 0, 1, 2**31, 2**63 - 1, 2**63]))]
    if chance.random() < 0.1:
        added += ["--max-connections", str(chance.choice([1, 2, 1000, 2**31, 2**63 - 1, 2**64]))]
    for option, probability in [("--strict", 0.3), ("--skip-bad", 0.8), ("-4", 0.05), ("-6", 0.05), ("--utc", 0.3)]:
        if chance.random() < probability:
            added.append(option)
    return added


def value(chance):
    kind = chance.random()
    if kind < 0.5:
        return str(chance.choice(NUMBERS) + chance.choice([0, 0, 0, 1, -1])).encode()
    return chance.choice(TEXTS)


def mutate_cells(data, chance):
    """Changes cells, rows and columns of a text of lines."""
    separator = b"," if data.count(b",") > data.count(b" ") or data.startswith(b"{") else b" "
    rows = [line.split(separator) for line in data.split(b"\n")]
    for _ in range(chance.choice([1, 1, 2, 5, 30])):
        first = chance.randrange(len(rows))
        row = rows[first]
        place = chance.randrange(len(row))
        kind = chance.randrange(9)
        if kind < 5:
            if data.startswith(b"{"):
                row[place] = re.sub(rb'(:"?)[^"]*', lambda match: match.group(1) + value(chance), row[place], count=1)
            else:
                row[place] = value(chance)
        elif kind == 5:
            rows.insert(chance.randrange(len(rows)), list(row))
        elif kind == 6 and len(rows) > 1:
            rows.pop(first)
        elif kind == 7:
            other = chance.randrange(len(rows))
            rows[first], rows[other] = rows[other], rows[first]
        else:
            # A column with numbers that rise and fall at the ends of what a number can be.
            for row in rows[1:]:
                if place < len(row) and not data.startswith(b"{"):
                    row[place] = str(chance.choice(NUMBERS)).encode()
    return b"\n".join(separator.join(row) for row in rows)


def mutate_bytes(data, chance):
    bytes_ = bytearray(data)
    for _ in range(chance.choice([1, 2, 10])):
        if not bytes_:
            break
        place = chance.randrange(len(bytes_))
        kind = chance.randrange(5)
        if kind == 0:
            bytes_[place] = chance.randrange(256)
        elif kind == 1:
            del bytes_[place:place + chance.choice([1, 10, 500])]
        elif kind == 2:
            bytes_[place:place] = bytes_[:chance.choice([1, 10, 500])]
        elif kind == 3:
            bytes_[place:place] = chance.choice(TEXTS)
        else:
            del bytes_[place:]
    return bytes(bytes_)


def mutate(seeds, chance):
    data = chance.choice(seeds)
    kind = chance.random()
    if kind < 0.75:
        data = mutate_cells(data, chance)
    if 0.65 < kind < 0.95:
        data = mutate_bytes(data, chance)
    if kind > 0.95:
        data += chance.choice(seeds)
    if chance.random() < 0.02:
        data = data.replace(b"\n", chance.choice([b"\r\n", b"\r"]))
    return data


def seeds():
    """All recordings of the repository that are small; those of the fuzzer have the size of the pieces first."""
    found = []
    for folder in ["csv", "jsonl", "tcpstates"]:
        found += [path.read_bytes()[1:] for path in sorted((ROOT / "Tests/fuzz/corpus" / folder).iterdir())]
    for path in sorted(ROOT.glob("Tests/*/Fixtures/**/*")):
        if path.suffix in (".csv", ".jsonl") and path.stat().st_size < 100_000:
            found.append(path.read_bytes())
    return [data for data in found if data.strip()]


class Run:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.path = str(folder / "recording.csv")

    def limit(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def once(self, arguments, zone):
        """Runs the program, and checks all that it has done."""
        output, errors = self.folder / "output", self.folder / "errors"
        environment = {"PATH": "/usr/bin:/bin", "TZ": zone, "SWIFT_BACKTRACE": "enable=no"}
        with open(output, "wb") as out, open(errors, "wb") as err:
            start = time.monotonic()
            process = subprocess.Popen([self.binary] + arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=environment, preexec_fn=self.limit)
            status, usage = self.wait(process, start)
        assert status >= 0, f"killed by signal {-status}: {errors.read_text(errors='replace')[-300:]}"
        assert usage.ru_maxrss < MEGABYTES_EACH << 10, f"{usage.ru_maxrss >> 10} MB"
        allowed = STATUSES | ({1} if arguments[0] == "stuck" else set())
        assert status in allowed, f"status {status}"
        said = errors.read_bytes().decode()
        check_text(said)
        assert status not in (64, 65) or said.startswith("tcpstate-trace: "), f"status {status} says {said!r}"
        assert status != 3 or "--strict" in arguments, "status 3 without --strict"
        return status, output.read_bytes().decode()

    @staticmethod
    def wait(process, start):
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                return process.returncode, usage
            if time.monotonic() - start > SECONDS_EACH:
                process.kill()
                raise AssertionError(f"still running after {SECONDS_EACH} s")
            time.sleep(0.001)


def keep(found, run, arguments, zone, failure):
    number = len(list(found.glob("command-*.txt")))
    name = found / f"command-{number}"
    suffix = pathlib.Path(run.path).suffix
    data = pathlib.Path(run.path).read_bytes()
    name.with_suffix(suffix).write_bytes(data)
    line = f"TZ={shlex.quote(zone)} " + shlex.join([run.binary] + arguments).replace(run.path, str(name.with_suffix(suffix)))
    name.with_suffix(".txt").write_text(f"{line}\n{failure}\n")
    print(f"fuzz command: {failure}\n  again: {line}", file=sys.stderr)


def main():
    binary, seconds, found = os.path.abspath(sys.argv[1]), float(sys.argv[2]), pathlib.Path(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.SystemRandom().randrange(2**32)
    chance, inputs = random.Random(seed), seeds()
    csv.field_size_limit(1 << 30)
    found.mkdir(parents=True, exist_ok=True)
    run = Run(binary, found)
    runs, statuses, failures, end = 0, {}, 0, time.monotonic() + seconds
    while time.monotonic() < end and failures < 10:
        data = mutate(inputs, chance)
        archive = chance.random() < 0.03
        run.path = str(found / ("recording.csv.gz" if archive else "recording.csv"))
        pathlib.Path(run.path).write_bytes(mutate_bytes(gzip.compress(data), chance) if archive else data)
        for view, check in chance.sample(VIEWS, 4):
            arguments = view + ["--read", run.path] + options(view, chance)
            zone = chance.choice(ZONES)
            runs += 1
            try:
                status, text = run.once(arguments, zone)
                check(text, status)
                statuses[status] = statuses.get(status, 0) + 1
            except (AssertionError, ValueError, csv.Error, UnicodeDecodeError) as failure:
                keep(found, run, arguments, zone, f"{type(failure).__name__}: {failure}")
                failures += 1
    for name in ["recording.csv", "recording.csv.gz", "output", "errors"]:
        (found / name).unlink(missing_ok=True)
    by_status = ", ".join(f"{count} with {status}" for status, count in sorted(statuses.items()))
    print(f"fuzz command: {failures} failures in {runs} runs, seed {seed}; ended {by_status}")
    sys.exit(1 if failures else 0)


main()
