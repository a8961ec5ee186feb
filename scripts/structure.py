#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the shape of the tree and prints its figures; exits with 1 if a limit is passed.

A room is a folder of Swift files below Sources or fleet/Sources. One room depends on another if it
mentions a type that the other declares; rooms of one module must not depend on each
other in a circle. Folders, files and functions have a size beyond which they hide
what is in them.
"""
import os
import re
import subprocess
import sys
from collections import defaultdict

FOLDER_FILES = 25
FILE_LINES = 400
FUNCTION_LINES = 60

CODE = (".swift", ".c", ".h", ".py", ".js", ".css", ".sh")
DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))? )*(?:(?:public|package|internal|private|fileprivate|final|indirect|nonisolated) )*"
    r"(?:struct|class|enum|protocol|actor|typealias) (\w+)")
NESTED = re.compile(r"^ +.*\b(?:struct|class|enum|protocol|actor|typealias) (\w+)", re.M)
SWIFT_FUNCTION = re.compile(
    r"^( *)(?:@\S+ )*(?:[a-z]+(?:\([a-z]+\))? )*(?:func \S+|init[?(<]|deinit\b|subscript\b|var \w+.*\{$)")
PYTHON_FUNCTION = re.compile(r"^( *)(?:async )?def (\w+)")
C_FUNCTION = re.compile(r"^(?!struct|enum|union|typedef|static const|#)[A-Za-z_].*\)$|^[A-Za-z_].*\) *\{$")
JS_FUNCTION = re.compile(r"^( *)(?:export )?(?:async )?(?:function\b|const \w+ = .*=> \{$|\w+\(.*\) \{$)")


def tracked():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True)
    return sorted(path for path in listing.stdout.splitlines() if os.path.isfile(path))


def lines_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def swift_code(path):
    """The text without comments and string literals."""
    text = "\n".join(lines_of(path))
    text = re.sub(r'"""(?:.|\n)*?"""', '""', text)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r"/\*(?:.|\n)*?\*/", "", text)


def functions(path):
    """Each function's name and number of lines, by indentation: the formatters see to that."""
    lines = lines_of(path)
    pattern = {".swift": SWIFT_FUNCTION, ".py": PYTHON_FUNCTION, ".js": JS_FUNCTION}.get(
        os.path.splitext(path)[1], C_FUNCTION)
    if path.endswith((".css", ".sh")):
        return
    for number, line in enumerate(lines):
        match = pattern.match(line)
        if not match:
            continue
        indent = match.group(1) if match.groups() else ""
        end = number
        if pattern is PYTHON_FUNCTION:
            for later in range(number + 1, len(lines)):
                if lines[later].strip() and not lines[later].startswith(indent + " ") and not lines[later].startswith(indent + ")"):
                    break
                if lines[later].strip():
                    end = later
        else:
            for later in range(number, len(lines)):
                text = lines[later]
                if later > number and (text == indent + "}" or text.startswith((indent + "} ", indent + "}("))):
                    if pattern is SWIFT_FUNCTION and re.match(re.escape(indent) + r"\} (?:else|catch)", text):
                        continue
                    end = later
                    break
                # A declaration without a body, or one that ends where it begins.
                if later > number and text.strip() and not text.startswith((indent + " ", indent + "\t", indent + "{", indent + ")", indent + "-> ", "#")):
                    break
        yield line.strip(), number + 1, end - number + 1


def modules(files):
    rooms = defaultdict(lambda: defaultdict(list))
    for path in files:
        parts = path.removeprefix("fleet/").split("/")
        if parts[0] == "Sources" and path.endswith(".swift"):
            rooms[parts[1]]["/".join(parts[2:-1]) or "."].append(path)
    return rooms


def uses(rooms):
    """For each room the rooms it depends on, with an example."""
    owner = {}
    for room, paths in rooms.items():
        for path in paths:
            for line in lines_of(path):
                if match := DECLARATION.match(line):
                    owner[match.group(1)] = room
    edges = defaultdict(dict)
    for room, paths in rooms.items():
        for path in paths:
            code = swift_code(path)
            # A nested type of the file's own hides one of the same name elsewhere.
            own = set(NESTED.findall(code))
            for word in set(re.findall(r"\b[A-Z]\w*\b", code)) - own:
                other = owner.get(word)
                if other is not None and other != room:
                    edges[room].setdefault(other, []).append(f"{os.path.basename(path)} uses {word}")
    return edges


def cycles(edges):
    """The strongly connected components of more than one room (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(room):
        index[room] = low[room] = len(index)
        stack.append(room)
        for other in edges.get(room, {}):
            if other not in index:
                visit(other)
                low[room] = min(low[room], low[other])
            elif other in stack:
                low[room] = min(low[room], index[other])
        if low[room] == index[room]:
            component = []
            while True:
                component.append(stack.pop())
                if component[-1] == room:
                    break
            if len(component) > 1:
                found.append(sorted(component))

    for room in list(edges):
        if room not in index:
            visit(room)
    return found


def check_cycles(files, verbose):
    faults = []
    count = 0
    for module, rooms in sorted(modules(files).items()):
        edges = uses(rooms)
        count += len(rooms)
        if verbose:
            for room in sorted(rooms):
                print(f"{module}/{room} ({len(rooms[room])}) -> {', '.join(sorted(edges[room])) or '-'}")
        for component in cycles(edges):
            faults.append(f"{module}: a circle of {', '.join(component)}")
            for room in component:
                for other in component:
                    for example in edges[room].get(other, [])[: None if verbose else 2]:
                        faults.append(f"  {room} -> {other}: {example}")
    return faults, count


def check_sizes(files):
    faults = []
    folders = defaultdict(int)
    longest_file = longest_function = (0, "")
    for path in files:
        if path.startswith(("Sources/", "Tests/", "fleet/")):
            folders[os.path.dirname(path)] += 1
        if not path.endswith(CODE):
            continue
        size = len(lines_of(path))
        longest_file = max(longest_file, (size, path))
        if size > FILE_LINES:
            faults.append(f"{path}: {size} lines, the limit is {FILE_LINES}")
        for name, number, length in functions(path):
            longest_function = max(longest_function, (length, f"{path}:{number}"))
            if length > FUNCTION_LINES:
                faults.append(f"{path}:{number}: {length} lines in one function, the limit is {FUNCTION_LINES}: {name}")
    for folder, number in sorted(folders.items()):
        if number > FOLDER_FILES:
            faults.append(f"{folder}: {number} files, the limit is {FOLDER_FILES}")
    largest = max((number, folder) for folder, number in folders.items())
    return faults, largest, longest_file, longest_function


def main():
    verbose = "--verbose" in sys.argv[1:]
    files = tracked()
    faults, rooms = check_cycles(files, verbose)
    more, folder, file, function = check_sizes(files)
    faults += more
    for fault in faults:
        print(f"structure: {fault}", file=sys.stderr)
    print(f"structure: {rooms} rooms, {'no circle' if not any('circle' in f for f in faults) else 'circles'}; "
          f"largest folder {folder[0]} files ({folder[1]}), longest file {file[0]} lines ({file[1]}), "
          f"longest function {function[0]} lines ({function[1]})")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
