#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that each source file names its licence, and that the texts of all licences are here.

    scripts/licenses.py [--fix]

A source has a line "SPDX-License-Identifier: …" among its first five: bpf/ and the headers it shares those of bpf/LICENSE, all
others Apache-2.0. --fix adds the line where it is missing. Also checks that the lock of the tests' Python packages has the
versions that dependencies.txt names.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMENTS = {".swift": "// {}", ".c": "// {}", ".h": "/* {} */", ".py": "# {}", ".sh": "# {}"}
TAG = re.compile(r"SPDX-License-Identifier: ([^*\n]+)")
OURS = "Apache-2.0"
KERNEL_SIDE = ("bpf/", "Sources/CTCPStateEvent/include/")


def sources():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
                             check=True)
    for name in sorted(listing.stdout.splitlines()):
        path = ROOT / name
        if path.suffix in COMMENTS and path.is_file() and "/Fixtures/" not in name:
            yield name, path


def add(path, text):
    line = COMMENTS[path.suffix].format(f"SPDX-License-Identifier: {OURS}") + "\n"
    # A comment about what follows is another one.
    if path.suffix == ".swift" and text.startswith("//") and not text.startswith("// swift-tools-version"):
        line += "\n"
    # The first line of a script or of a package's manifest must stay the first.
    if text.startswith("#!") or text.startswith("// swift-tools-version"):
        first, rest = text.split("\n", 1)
        path.write_text(f"{first}\n{line}{rest}")
    else:
        path.write_text(line + text)


def check_sources(fix):
    wrong = []
    for name, path in sources():
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        found = TAG.search("\n".join(text.split("\n")[:5]))
        if not found and fix and not name.startswith(KERNEL_SIDE):
            add(path, text)
        elif not found:
            wrong.append(f"{name}: names no licence; scripts/licenses.py --fix adds the line")
        else:
            names = re.findall(r"[A-Za-z0-9.-]+", re.sub(r"\b(OR|AND|WITH)\b", " ", found[1]))
            wrong += [f"{name}: no text of {licence} in LICENSES" for licence in names
                      if not (ROOT / "LICENSES" / f"{licence}.txt").is_file()]
            if not name.startswith(KERNEL_SIDE) and OURS not in names and "GPL-2.0-only" not in names:
                wrong.append(f"{name}: is under {found[1].strip()}, not under {OURS}")
    return wrong


def check_packages():
    wanted = re.findall(r"^python\s+(\S+)", (ROOT / "scripts/dependencies.txt").read_text(), re.M)
    lock = (ROOT / "scripts/python-packages.txt").read_text()
    return [f"scripts/python-packages.txt: lacks {package} of dependencies.txt" for package in wanted
            if f"\n{package} " not in lock]


def main():
    wrong = check_sources("--fix" in sys.argv[1:]) + check_packages()
    if (ROOT / "LICENSE").read_bytes() != (ROOT / f"LICENSES/{OURS}.txt").read_bytes():
        wrong.append(f"LICENSES/{OURS}.txt isn't LICENSE")
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


main()
