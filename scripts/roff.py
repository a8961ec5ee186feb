# SPDX-License-Identifier: Apache-2.0
"""Text to man(7): escaping, lines that mandoc and groff accept, and tables of Markdown as tagged paragraphs."""
import re

WIDTH = 78
CHARACTERS = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "≥": "\\(>=", "–": "\\(en", "—": "\\(em",
              "µ": "\\(mc", "→": "\\(->", "…": "...", "’": "\\(cq"}


def escape(text):
    return "".join(CHARACTERS.get(character, character) for character in text)


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def italic(text):
    return f"\\fI{escape(text)}\\fR"


def inline(text):
    """Markdown within a line: `code` and **words** become bold, of [a link](…) the text stays."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("\\|", "|")
    parts = re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text)
    return "".join(bold(part.strip("`*")) if part[:1] in ("`", "*") and len(part) > 2 else escape(part)
                   for part in parts)


def flow(text):
    """Lines of a paragraph: no longer than WIDTH, a new one for each sentence, none that is read as a request."""
    lines, line = [], ""
    for word in inline(" ".join(text.split())).split(" "):
        if line and (len(line) + 1 + len(word) > WIDTH or re.search(r"[a-z)][.:?]$", line)):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return [f"\\&{line}" if line.startswith((".", "'")) else line for line in lines if line]


def paragraphs(text):
    """Blank lines separate paragraphs; indented lines are shown as they are."""
    lines = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if all(line.startswith("  ") for line in block.splitlines()):
            lines += example(block)
        else:
            lines += [".PP", *flow(block)]
    return lines[1:] if lines[:1] == [".PP"] else lines


def example(text):
    shown = [escape(line) for line in text.strip("\n").splitlines()]
    return [".PP", ".nf", ".RS 4", *(f"\\&{line}" if line.startswith((".", "\\(aq")) else line for line in shown), ".RE", ".fi"]


def tagged(tag, text):
    """A term, already escaped, and what it means."""
    return [".TP", tag, *flow(text)]


def table(markdown, heading):
    """The cells of the first table below the heading, without its head."""
    rest = markdown[markdown.index(heading) + len(heading):]
    lines = rest[rest.index("|---"):].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.strip().startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
    return rows
