# SPDX-License-Identifier: Apache-2.0
"""Finds the places of Swift sources that can be changed, and how.

A site is one small change to one file: an operator, a constant, a condition or two neighbours of a table. It is made
by edits of the text that leave the line structure as it is, so that an error of the compiler leads back to its site.
"""
import re
from dataclasses import dataclass, field

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
ARITHMETIC = {"+": "-", "-": "+", "&+": "&-", "&-": "&+", "+=": "-=", "-=": "+="}
OPERATORS = {**COMPARISONS, **LOGIC, **ARITHMETIC}

OPERATOR = re.compile(r"(?<=\s)(<=|>=|<|>|==|!=|&&|\|\||\+=|-=|&\+|&-|\+|-)(?=\s)")
NUMBER = re.compile(r"(?<![\w$#])(0x[0-9a-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:e\d+)?)(?!\w)")
CONDITION = re.compile(r"(?<![\w.`])(if|while|guard)\s+")
NOT_A_VALUE = re.compile(r"(?:let|var|case|#\w+)\b")
ARM = re.compile(r"^( *)(case (?:[^\n()]|\([^\n()]*\))*?|default): ([^\n{]+)$", re.M)
# What an arm does with its value; both arms must do the same.
ARM_BEGINNING = re.compile(r"(?:return |[\w.]+ = )?")
STATEMENT = re.compile(r"(?:return|throw|break|continue|if|guard|for|while|switch|let|var|fallthrough)\b")
# What stands before a literal of a set, which has no order; segments' flags are one.
SET = re.compile(r"(?:Set<\w+> = |\.(?:subtracting\(|insert\(|isDisjoint\(with: )|LifecycleSegment\(\s*|\? \.rst : )$")
# Raw values must be literals, and declarations of operators aren't uses.
NO_SITES = re.compile(r"^\s*(?:indirect )?case \w+ = |\bfunc [^\w\s]|^\s*#|^\s*@|\boperator\b")


@dataclass
class Site:
    path: str
    line: int
    code: str  # the line's text
    kind: str
    change: str
    start: int
    end: int
    # (start, end, text), with {n} for the mutant's number and {op} for its operator.
    edits: list = field(default_factory=list)
    operator: str = ""

    @property
    def key(self):
        return (self.path, self.code, self.change)


def blank(text):
    """The text with comments and string literals replaced by spaces and quotes, of the same length."""
    out = list(text)
    position = 0

    def erase(end):
        for index in range(position, min(end, len(text))):
            if text[index] != "\n":
                out[index] = " "

    token = re.compile(r'//[^\n]*|/\*|(#*)("""|")')
    while match := token.search(text, position):
        position = match.start()
        if match.group().startswith("//"):
            end = match.end()
            erase(end)
        elif match.group() == "/*":
            end = text.find("*/", position) + 2
            erase(end)
        else:
            end = string_end(text, match.end(), match.group(2) + match.group(1), "\\" + match.group(1))
            erase(end)
            out[position], out[end - 1] = '"', '"'
        position = end
    return "".join(out)


def string_end(text, position, quote, escape):
    while position < len(text):
        if text.startswith(escape + "(", position):
            depth, position = 1, position + len(escape) + 1
            while depth:
                if text[position] == '"':
                    position = string_end(text, position + 1, '"', "\\")
                    continue
                depth += {"(": 1, ")": -1}.get(text[position], 0)
                position += 1
        elif text.startswith(escape, position):
            position += len(escape) + 1
        elif text.startswith(quote, position):
            return position + len(quote)
        else:
            position += 1
    return position


def find(path, text, choose):
    """All sites of one file, in order; `choose` picks one of several changes."""
    code = blank(text)
    lines = text.split("\n")
    sites = []

    def add(kind, change, start, end, edits, operator=""):
        line = code.count("\n", 0, start) + 1
        if not NO_SITES.search(lines[line - 1]):
            sites.append(Site(path, line, lines[line - 1].strip(), kind, change, start, end, edits, operator))

    for match in OPERATOR.finditer(code):
        old, new = match.group(), OPERATORS[match.group()]
        if old in "+-" and '"' in (code[match.start() - 2:match.start() - 1], code[match.end() + 1:match.end() + 2]):
            continue  # strings are only added
        kind = "comparison" if old in COMPARISONS else "condition" if old in LOGIC else "arithmetic"
        add(kind, f"{old} to {new}", *match.span(), [(*match.span(), "{op}")], old)
    for match in NUMBER.finditer(code):
        before = code[max(0, match.start() - 2):match.start()]
        if before.endswith(".") and before != "..":
            continue  # an element of a tuple
        old = match.group()
        new = neighbour(old, choose)
        function = "mutatedFraction" if re.search(r"[.e]", old) and not old.startswith("0x") else "mutatedNumber"
        add("constant", f"{old} to {new}", *match.span(), [(*match.span(), f"{function}({{n}}, {old}, {new})")])
    for start, end in conditions(code):
        edits = [(start, start, "mutatedCondition({n}, "), (end, end, ")")]
        add("condition", f"not ({' '.join(text[start:end].split())})", start, end, edits)
    for first, second in [*neighbours(code), *arms(code)]:
        one, other = text[slice(*first)], text[slice(*second)]
        if one == other or "//" in one + other or "/*" in one + other:
            continue
        one, other = " ".join(one.split()), " ".join(other.split())
        edits = [(*first, wrapped(text, first, one, other)), (*second, wrapped(text, second, other, one))]
        add("table", f"{one} swapped with {other}", first[0], second[1], edits)
    return numbered(sorted(sites, key=lambda site: (site.start, site.end)))


def wrapped(text, span, one, other):
    # As many lines as before.
    return f"mutatedEntry({{n}}, {one}, {other})" + "\n" * text.count("\n", *span)


def numbered(sites):
    """Distinguishes the same changes of one line."""
    seen = {}
    for site in sites:
        key = (site.line, site.change)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            site.change += f", number {seen[key]}"
    return sites


def neighbour(old, choose):
    if re.search(r"[.e]", old) and not old.startswith("0x"):
        return repr(float(old.replace("_", "")) + choose((1.0, -1.0)))
    value = int(old.replace("_", ""), 0)
    if value < 2:
        return str(1 - value)
    return str(value + choose((1, -1)))


def conditions(code):
    """The plain conditions of if, while and guard."""
    for match in CONDITION.finditer(code):
        is_guard = match.group(1) == "guard"
        depth, begin, position = 0, match.end(), match.end()
        parts = []
        while position < len(code):
            character = code[position]
            at_end = depth == 0 and (
                re.match(r"\belse\b", code[position:position + 5]) if is_guard else character == "{")
            if depth == 0 and (at_end or character == ","):
                parts.append((begin, position))
                begin = position + 1
                if at_end:
                    break
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
            if depth < 0:
                parts = []
                break
            position += 1
        for start, end in parts:
            piece = code[start:end]
            start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
            if start < end and not NOT_A_VALUE.match(code[start:end]):
                yield start, end


def neighbours(code):
    """Neighbouring elements of array literals, and neighbouring values of dictionaries."""
    for match in re.finditer(r"(?<![\w\])?!>`])\[", code):
        depth, begin, position = 0, match.end(), match.end()
        elements, colon = [], None
        while position < len(code):
            character = code[position]
            if depth == 0 and character in ",]":
                elements.append((begin if colon is None else colon, position))
                begin, colon = position + 1, None
                if character == "]":
                    break
            elif depth == 0 and character == ":":
                colon = position + 1
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
            position += 1
        if code.startswith(".contains(", position + 1) or SET.search(code, max(0, match.start() - 80), match.start()):
            continue
        trimmed = [trim(code, *element) for element in elements]
        trimmed = [span for span in trimmed if span[0] < span[1]]
        yield from zip(trimmed, trimmed[1:])


def trim(code, start, end):
    piece = code[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def arms(code):
    """The values of neighbouring arms of a switch that have one line each."""
    previous = None
    for match in ARM.finditer(code):
        start, end = trim(code, *match.span(3))
        beginning = ARM_BEGINNING.match(code[start:end]).group()
        start += len(beginning)
        current = (match.start(), match.group(1), beginning, (start, end))
        if previous and previous[1:3] == current[1:3] and code.count("\n", previous[0], current[0]) == 1:
            values = [code[slice(*span)] for span in (previous[3], current[3])]
            if not any(STATEMENT.match(value) for value in values):
                yield previous[3], current[3]
        previous = current
