# SPDX-License-Identifier: Apache-2.0
"""Counts of facts: right, wrong and unknown, by kind, with an example of each."""
import collections


class Tally:
    def __init__(self):
        self.right = collections.Counter()
        self.wrong = collections.Counter()
        self.unknown = collections.Counter()
        self.examples = {}
        self.ignored = collections.Counter()  # columns that the referee doesn't know

    def add(self, view, fact, verdict, kind, example=""):
        """One fact: `view` is the output it is from, `fact` what it is, `kind` where it belongs."""
        if verdict == "right":
            self.right[view, fact] += 1
            return
        key = view, fact, kind
        (self.wrong if verdict == "wrong" else self.unknown)[key] += 1
        found = self.examples.setdefault((verdict, *key), [])
        if len(found) < 3:
            found.append(example)

    def check(self, view, fact, value, wanted, kind, example=""):
        """A fact whose value must be one of `wanted`, or is unknown."""
        if value in wanted:
            verdict = "right"
        else:
            verdict = "unknown" if value in ("", None) else "wrong"
        short = sorted(map(str, wanted))[:4]
        self.add(view, fact, verdict, kind, f"{value!r}, not {' or '.join(short)}: {example}")

    def totals(self):
        return sum(self.right.values()), sum(self.wrong.values()), sum(self.unknown.values())

    def report(self, documented, examples=1):
        """The table; `documented` says of an unknown fact why it may be unknown, or None."""
        right, wrong, unknown = self.totals()
        lines = [f"{right + wrong + unknown} facts compared: {right} right, {wrong} wrong, {unknown} unknown"]
        views = sorted({key[0] for counter in (self.right, self.wrong, self.unknown) for key in counter})
        for view in views:
            counts = [sum(n for key, n in counter.items() if key[0] == view) for counter in (self.right, self.wrong, self.unknown)]
            lines.append(f"  {view}: {counts[0]} right, {counts[1]} wrong, {counts[2]} unknown")
        if self.ignored:
            lines.append("columns without a rule here: " + ", ".join(f"{name} {number}" for name, number in self.ignored.items()))
        for key, number in sorted(self.wrong.items(), key=lambda item: (item[0][:2], -item[1])):
            lines.append(f"wrong {number:6} {key[0]} {key[1]} | {key[2]}")
            lines += [f"             {text}" for text in self.examples[("wrong", *key)][:examples]]
        return lines + self.unknown_lines(documented)

    def unknown_lines(self, documented):
        """Unknown facts, those of one kind and one reason in one line."""
        found = {}
        for (view, fact, kind), number in self.unknown.items():
            found.setdefault((documented(view, fact, kind) or "", view, kind), []).append((fact, number))
        lines = []
        for (reason, view, kind), facts in sorted(found.items()):
            total = sum(number for _, number in facts)
            names = ", ".join(f"{fact} {number}" for fact, number in sorted(facts))
            lines.append(f"unknown {total:6} {view} {kind} | {'documented: ' + reason if reason else 'NOT DOCUMENTED'} | {names}")
        return lines

    def undocumented(self, documented):
        return sum(number for key, number in self.unknown.items() if not documented(*key))

    def figures(self, documented):
        """The tables of docs/TRUTH.md."""
        lines = ["| output | facts | wrong | unknown |", "|---|---:|---:|---:|"]
        views = sorted({key[0] for counter in (self.right, self.wrong, self.unknown) for key in counter})
        for view in [*views, None]:
            counts = [sum(n for key, n in counter.items() if view in (None, key[0])) for counter in (self.right, self.wrong, self.unknown)]
            name = "`" + view + "`" if view else "all"
            lines.append(f"| {name} | {sum(counts):,} | {counts[1]:,} | {counts[2]:,} |")
        lines += ["", "| unknown | facts | of |", "|---|---:|---|"]
        reasons = collections.defaultdict(collections.Counter)
        for (view, fact, kind), number in self.unknown.items():
            reasons[documented(view, fact, kind) or "**not documented**"][fact] += number
        for reason, facts in sorted(reasons.items(), key=lambda item: -sum(item[1].values())):
            named = ", ".join(f"`{fact}`" for fact, _ in facts.most_common(4)) + (" …" if len(facts) > 4 else "")
            lines.append(f"| {reason} | {sum(facts.values()):,} | {named} |")
        if self.wrong:
            lines += ["", "| wrong | facts |", "|---|---:|"]
            for key, number in sorted(self.wrong.items(), key=lambda item: -item[1]):
                text = f"`{key[0]}` {key[1]}: {key[2]}".replace("|", "or")
                lines.append(f"| {text} | {number:,} |")
        return lines
