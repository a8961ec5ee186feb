# SPDX-License-Identifier: Apache-2.0
"""Makes a copy of the package in which every mutant is a choice by the environment variable MUTANT.

So one build serves all mutants. An operator becomes one of its own, with the same precedence, which a module declares;
everything else becomes a call.
"""
import os
import re
import shutil
import subprocess

import sites as finding

MODULE = "MutantChoice"
COPIED = ["Package.swift", "docs", "Plugins", "bpf", "Sources", "Tests/Core", "Tests/Live", "Tests/Report",
          "Tests/TestSupport", "Tests/fuzz"]
TESTS = ["TCPStateCoreTests", "TCPStateLiveTests", "TCPStateReportTests"]
MUTATED = ["TCPStateCore", "TCPStateLive", "TCPStateReport"]

# Appended to the package's own manifest. Warnings are no errors: a change may make a branch unreachable.
MANIFEST = """
package.products = []
package.dependencies = []
var needed: Set = [{tests}]
var before = 0
while needed.count > before {{
  before = needed.count
  for target in package.targets where needed.contains(target.name) {{
    for case .byNameItem(let name, _) in target.dependencies {{ needed.insert(name) }}
  }}
}}
package.targets.removeAll {{ $0.type != .plugin && !needed.contains($0.name) }}
for target in package.targets where [{mutated}].contains(target.name) {{
  target.dependencies.append("{module}")
}}
for target in package.targets where target.swiftSettings != nil {{ target.swiftSettings = [.swiftLanguageMode(.v6)] }}
package.targets.append(.target(name: "{module}"))
// The tests run once for each mutant; they themselves crash the optimizer of Swift 6.3.
for target in package.targets where [{mutated}, "{module}"].contains(target.name) {{
  target.swiftSettings = [.swiftLanguageMode(.v6), .unsafeFlags(["-O"])]
}}
"""

CHOICE = """\
import Glibc

/// The number of the mutant that is on; 0 if none is.
@usableFromInline let activeMutant: Int = getenv("MUTANT").flatMap { Int(String(cString: $0)) } ?? 0

@inlinable public func mutatedNumber<T: ExpressibleByIntegerLiteral>(_ number: Int, _ own: T, _ other: T) -> T {
  activeMutant == number ? other : own
}

@inlinable public func mutatedFraction<T: ExpressibleByFloatLiteral>(_ number: Int, _ own: T, _ other: T) -> T {
  activeMutant == number ? other : own
}

@inlinable public func mutatedCondition(_ number: Int, _ condition: Bool) -> Bool {
  activeMutant == number ? !condition : condition
}

@inlinable public func mutatedEntry<T>(
  _ number: Int, _ own: @autoclosure () throws -> T, _ other: @autoclosure () throws -> T
) rethrows -> T {
  activeMutant == number ? try other() : try own()
}
"""

COMPARISON = """\
infix operator {op} : ComparisonPrecedence
@inlinable public func {op} <T: {protocol}>(a: T, b: T) -> Bool {{ activeMutant == {n} ? a {new} b : a {old} b }}
@_disfavoredOverload
@inlinable public func {op} <T: BinaryInteger, U: BinaryInteger>(a: T, b: U) -> Bool {{ activeMutant == {n} ? a {new} b : a {old} b }}
@_disfavoredOverload
@inlinable public func {op} <A: {protocol}, B: {protocol}>(a: (A, B), b: (A, B)) -> Bool {{
  activeMutant == {n} ? a {new} b : a {old} b
}}
@_disfavoredOverload
@inlinable public func {op} <A: {protocol}, B: {protocol}, C: {protocol}>(a: (A, B, C), b: (A, B, C)) -> Bool {{
  activeMutant == {n} ? a {new} b : a {old} b
}}
"""
AGAINST_NIL = """\
@_disfavoredOverload
@inlinable public func {op} <T>(a: T?, b: _OptionalNilComparisonType) -> Bool {{ activeMutant == {n} ? a {new} b : a {old} b }}
"""
LOGIC = """\
infix operator {op} : {precedence}
@inlinable public func {op} (a: Bool, b: @autoclosure () throws -> Bool) rethrows -> Bool {{
  activeMutant == {n} ? try a {new} b() : try a {old} b()
}}
"""
ARITHMETIC = """\
infix operator {op} : AdditionPrecedence
@inlinable public func {op} <T: {protocol}>(a: T, b: T) -> T {{ activeMutant == {n} ? a {new} b : a {old} b }}
"""
OF_POINTERS = """\
@_disfavoredOverload
@inlinable public func {op} <P: _Pointer>(a: P, b: P.Stride) -> P {{ activeMutant == {n} ? a {new} b : a {old} b }}
"""
ASSIGNMENT = """\
infix operator {op} : AssignmentPrecedence
@inlinable public func {op} <T: AdditiveArithmetic>(a: inout T, b: T) {{
  if activeMutant == {n} {{ a {new} b }} else {{ a {old} b }}
}}
@_disfavoredOverload
@inlinable public func {op} <P: _Pointer>(a: inout P, b: P.Stride) {{
  if activeMutant == {n} {{ a {new} b }} else {{ a {old} b }}
}}
"""


def operator_name(old, number):
    """An operator of its own for each mutant."""
    digits = ""
    while number:
        number, digit = divmod(number, 4)
        digits += "^%~|"[digit]
    return old + "^" + digits + "^"


def declaration(site, number):
    old, new = site.operator, finding.OPERATORS[site.operator]
    facts = {"op": operator_name(old, number), "n": number, "old": old, "new": new}
    if old in finding.COMPARISONS:
        equality = old in ("==", "!=")
        text = COMPARISON.format(protocol="Equatable" if equality else "Comparable", **facts)
        return text + (AGAINST_NIL.format(**facts) if equality else "")
    if old in finding.LOGIC:
        return LOGIC.format(precedence=f"Logical{'Con' if old == '&&' else 'Dis'}junctionPrecedence", **facts)
    if old.endswith("="):
        return ASSIGNMENT.format(**facts)
    text = ARITHMETIC.format(protocol="FixedWidthInteger" if "&" in old else "AdditiveArithmetic", **facts)
    return text if "&" in old else text + OF_POINTERS.format(**facts)


class Package:
    """The copy; `mutants` are its sites by number."""

    def __init__(self, root, folder, swift):
        self.root, self.folder, self.swift = root, folder, swift
        self.scratch = os.path.join(os.path.dirname(folder), "build")
        self.mutants = {}
        self.declared = {}

    def prepare(self, mutants):
        self.mutants = dict(mutants)
        # Those that were left out stay declared: otherwise everything would be compiled again.
        self.declared.update(self.mutants)
        wanted = {}
        for name in COPIED:
            path = os.path.join(self.root, name)
            for found in [path] if os.path.isfile(path) else self.files(path):
                with open(found, "rb") as file:
                    wanted[os.path.relpath(found, self.root)] = file.read()
        quoted = lambda names: ", ".join(f'"{name}"' for name in names)
        manifest = MANIFEST.format(tests=quoted(TESTS), mutated=quoted(MUTATED), module=MODULE)
        wanted["Package.swift"] += manifest.encode()
        wanted[f"Sources/{MODULE}/{MODULE}.swift"] = self.choices().encode()
        for path, changed in self.changed().items():
            wanted[path] = changed.encode()
        self.write(wanted)

    def files(self, folder):
        return [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]

    def choices(self):
        declared = (declaration(site, number) for number, site in self.declared.items() if site.operator)
        return CHOICE + "\n" + "\n".join(declared)

    def changed(self):
        by_path = {}
        for number, site in self.mutants.items():
            by_path.setdefault(site.path, []).append((number, site))
        result = {}
        for path, mutants in by_path.items():
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                text = file.read()
            edits = []
            for number, site in mutants:
                name = operator_name(site.operator, number)
                edits += [(start, end, new.replace("{n}", str(number)).replace("{op}", name))
                          for start, end, new in site.edits]
            # From the end; of two at one place what opens a call stays outside.
            for start, end, new in sorted(edits, key=lambda edit: edit[:2], reverse=True):
                text = text[:start] + new + text[end:]
            # On the first line, a comment, so that lines keep their numbers.
            result[path] = re.sub(r"^[^\n]*", f"import {MODULE}", text, count=1)
        return result

    def write(self, wanted):
        """Writes what differs only, so that a later build is short."""
        for found in self.files(self.folder):
            if os.path.relpath(found, self.folder) not in wanted:
                os.remove(found)
        for name, data in wanted.items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.exists(path):
                with open(path, "rb") as file:
                    if file.read() == data:
                        continue
            with open(path, "wb") as file:
                file.write(data)
            if os.path.exists(source := os.path.join(self.root, name)):
                shutil.copymode(source, path)

    def build(self, note):
        """Builds the tests; leaves out what doesn't compile, calls `note` with it, and returns it."""
        dropped = []
        while True:
            done = subprocess.run(
                [self.swift, "build", "--build-tests", "--package-path", self.folder,
                 "--scratch-path", self.scratch], capture_output=True, text=True)
            if done.returncode == 0:
                return dropped
            out = done.stdout + done.stderr
            blamed = self.blamed(out)
            if not blamed:
                raise SystemExit(f"mutate: the copy in {self.folder} doesn't build:\n{out[-4000:]}")
            for number in blamed:
                dropped.append(self.mutants.pop(number))
            note(dropped)
            print(f"{len(blamed)} mutants don't compile; building without them", flush=True)
            self.prepare(self.mutants)

    def blamed(self, out):
        """The mutants at, or else next to, the lines that the compiler complains of."""
        found = set()
        for path, line in set(re.findall(r"^(/[^\n:]+\.swift):(\d+):\d+: error:", out, re.M)):
            path, line = os.path.relpath(path, self.folder), int(line)
            near = [(abs(site.line - line), number) for number, site in self.mutants.items() if site.path == path]
            exact = {number for distance, number in near if distance == 0}
            # An expression of several lines is blamed where it begins, or where it ends.
            found |= exact or {number for distance, number in near if distance <= 5} or {n for _, n in near}
        return found

    def bundle(self):
        shown = subprocess.run(
            [self.swift, "build", "--build-tests", "--show-bin-path", "--package-path", self.folder,
             "--scratch-path", self.scratch], capture_output=True, text=True, check=True)
        folder = shown.stdout.strip()
        name = next(name for name in os.listdir(folder) if name.endswith("PackageTests.xctest"))
        return os.path.join(folder, name)
