#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds words and patterns that read as translated, in everything tracked by git.

    scripts/check-words.py [FILE ...]     all tracked files by default

Prints file:line: what was found → what is better, and exits with 1 if there is anything. A pattern is here if it is nearly
always wrong, so that few exceptions are needed; EXCEPTIONS lists them, each with its reason.
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# (pattern, better)
PATTERNS = [
    # Also as a part of an identifier: hasToldCrowd, untoldDrops.
    (r"\b(?:tell|tells|telling|told|untold)(?=[A-Z_]|\b)|(?<=[a-z_])(?:Tell|Tells|Told|Untold)(?=[A-Z_]|\b)"
     r"|\b(?:Tell|Tells|Telling|Told|Untold)(?=[A-Z_]|\b)", "report, show, say, count, know, distinguish"),
    (r"(?i)\breckon(?:s|ed|ing)?\b", "compute, count, expect"),
    (r"(?i)\bbut for\b", "except for"),
    (r"(?i)\b(?:all|anything|everything|no one|nobody|none|any) but\b(?! not\b)", "except"),
    (r"(?i)\bfrom before\b", "opened before the start, older, earlier"),
    (r"(?i)\bby means of\b", "with, using"),
    (r"(?i)\bwho holds?\b", "which process owns"),
    (r"(?i)\bbeside\b", "next to, besides, while"),
    (r"(?i)\bthe own\b", "its own, this process's"),
    (r"(?i)\bat the (?:most|least)\b", "at most, at least"),
    (r"(?i)\b(?:be|is|are|was|were) had\b", "be obtained, exist"),
    (r"(?i)\b(?:a|one) (?:line|row|cell|letter|lane|answer|command|record|slice|track) an? "
     r"(?!(?:second|minute|hour|time)\b)[a-z]+", "one … per …"),
    (r"\b(?:Found|Refused|Shown|Written|Counted|Given|Kept|Left|Missing) (?:is|are)\b(?! also)", "the subject first"),
    (r"(?i), for (?:it|they|he|she|we|there|nothing|nobody|the kernel|each kernel) "
     r"(?!to\b|of\b|in\b|on\b|and\b|or\b|with\b|which\b|that\b|when\b)[a-z]+", "because"),
]

# (files, pattern of the line, reason)
EXCEPTIONS = [
    ("scripts/check-words.py", r".", "it has them all"),
    ("LICENSE*", r".", "not our words"),
    ("bpf/LICENSE", r".", "not our words"),
    ("Tests/fuzz/corpus/*", r".", "inputs, not text"),
    ("Tests/*/Fixtures/*.csv", r".", "recordings, not text"),
]


def files():
    if sys.argv[1:]:
        return [pathlib.Path(name).resolve().relative_to(ROOT) for name in sys.argv[1:]]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [pathlib.Path(name.decode()) for name in listed.split(b"\0") if name]


def is_excepted(name, line):
    return any(fnmatch.fnmatch(name, names) and re.search(pattern, line) for names, pattern, _ in EXCEPTIONS)


def check(path, patterns):
    """How many patterns were found in a file; each is printed."""
    try:
        lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return 0  # a picture, or removed and not yet committed
    found = 0
    for number, line in enumerate(lines, 1):
        for pattern, better in patterns:
            for match in pattern.finditer(line):
                if not is_excepted(str(path), line):
                    print(f"{path}:{number}: {match[0]} → {better}")
                    found += 1
    return found


def main():
    patterns = [(re.compile(pattern), better) for pattern, better in PATTERNS]
    found = sum(check(path, patterns) for path in files())
    if found:
        sys.exit(f"check-words: {found} found; exceptions are listed in scripts/check-words.py")


main()
