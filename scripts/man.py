#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the man pages from what the binary says of itself: man.py BINARY OUT

One page for the program, one for each command, one for the columns. The options come from the declarations that also
make --help and the completions, the columns from theirs, exit statuses and verdicts from the tables of docs/, and what
no declaration has from man/sections.md.
"""
import os
import re
import subprocess
import sys
import time

import declarations
from declarations import PROGRAM
from roff import bold, escape, example, flow, inline, italic, paragraphs, table, tagged

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Commands that don't trace.
PLAIN = {"explain", "schema", "serve"}
ALSO = {"tcpstates": ["journalctl(1)"], "report": ["zstd(1)"], "serve": ["tcpstate-exporter(8)"]}


def text_of(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def date():
    """Of the commit, so that two builds are the same."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or subprocess.run(
        ["git", "-C", ROOT, "log", "-1", "--format=%ct"], capture_output=True, text=True).stdout or 0
    return time.strftime("%Y-%m-%d", time.gmtime(int(seconds)))


def head(title, section, binary):
    return [f'.TH {title.upper()} {section} "{date()}" "{PROGRAM} {declarations.version(binary)}" "User Commands"']


def full_name(command):
    name = command["commandName"]
    return name if name == PROGRAM else f"{PROGRAM}-{name}"


def section(command, title):
    """From man/sections.md: the command's own, else the one of all that trace."""
    name = command["commandName"]
    if name in PLAIN:
        return []
    texts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text_of("scripts", "man", "sections.md"), re.M | re.S))
    text = texts.get(f"{name}: {title}") or texts.get(f"*: {title}")
    return [f".SH {title}", *paragraphs(text)] if text else []


def option(argument):
    names = [bold(name) for name in declarations.names(argument)]
    if argument["kind"] == "option":
        names[-1] += f" {italic(argument['valueName'])}"
    text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
    # Of a pair of flags, the one that holds without either needs no value.
    if not argument.get("defaultValue", "--").startswith("--"):
        text = f"{text.rstrip('.')} (default {argument['defaultValue']})."
    return tagged(", ".join(names), text)


def options(command):
    lines, title = [".SH OPTIONS"], None
    for argument in declarations.positionals(command):
        lines += tagged(italic(word(argument)), argument.get("abstract", ""))
    arguments = declarations.options(command)
    # Groups in the order of their first option.
    order = list(dict.fromkeys(a.get("sectionTitle") for a in arguments))
    for argument in sorted(arguments, key=lambda a: order.index(a.get("sectionTitle"))):
        if argument.get("sectionTitle") != title:
            title = argument.get("sectionTitle")
            lines.append(f".SS {escape(title or 'Others')}")
        lines += option(argument)
    return lines


def split_examples(command):
    """The description, and the examples with what stands in their heading."""
    text, _, rest = (command.get("discussion") or "").partition("EXAMPLES")
    heading, _, body = rest.partition("\n")
    return text, heading.strip(" ,:"), body


def description(command):
    lines = [".SH DESCRIPTION", *flow(command["abstract"])]
    text = split_examples(command)[0].strip()
    return lines + ([".PP", *paragraphs(text)] if text else [])


def examples(command):
    _, heading, body = split_examples(command)
    if not body:
        return section(command, "EXAMPLES")
    lines = [".SH EXAMPLES", *(flow(f"{heading[0].upper()}{heading[1:]}:") if heading else [])]
    return lines + example(body)[0 if heading else 1:]


def fields(binary, command):
    """The names; what they mean is in the page of the columns."""
    name = command["commandName"]
    if name == PROGRAM:
        name = declarations.DEFAULT_COMMAND
    if name not in declarations.SUBJECTS:
        return []
    names = declarations.columns(binary, declarations.SUBJECTS[name])
    return [".SH FIELDS", "The columns of csv and jsonl, which",
            f"{bold(PROGRAM + '-columns')}(5)", "explains:", ".PP", *flow(", ".join(f"`{each}`" for each in names) + ".")]


def verdicts(command):
    if command["commandName"] != "stuck":
        return []
    lines = [".SH VERDICTS"]
    for name, meaning, advice in table(text_of("docs", "stuck.md"), "- **VERDICT**:"):
        lines += tagged(inline(name), f"{meaning[0].upper()}{meaning[1:]}. {advice[0].upper()}{advice[1:]}.")
    return lines


def exit_status():
    lines = [".SH EXIT STATUS"]
    for status, meaning in table(text_of("docs", "reference.md"), "## Exit statuses"):
        lines += tagged(bold(status), f"{meaning[0].upper()}{meaning[1:]}.")
    return lines


def see_also(names):
    links = [re.sub(r"^(.*)(\(\d\))$", lambda m: bold(m[1]) + m[2], name) for name in names]
    return [".SH SEE ALSO", *(f"{link}," for link in links[:-1]), links[-1]]


def word(argument):
    return argument["valueName"] + (" ..." if argument["isRepeating"] else "")


def synopsis(command, default):
    words = "".join(f" [{italic(word(a))}]" for a in declarations.positionals(default))
    if command["commandName"] == PROGRAM:
        return [f"{bold(PROGRAM)} [{italic('command')}] [{italic('options')}]{words}"]
    return [f"{bold(PROGRAM)} {bold(command['commandName'])} [{italic('options')}]{words}"]


def short(abstract):
    """What apropos(1) shows, on one line."""
    words = re.split(r"[:,.] | \(|\.$", abstract)[0]
    return escape(words[0].lower() + words[1:])


def page(binary, command, others):
    name = full_name(command)
    # Without a command's name the options are those of the default one.
    default = next((o for o in others if o["commandName"] == declarations.DEFAULT_COMMAND), command)
    lines = [*head(name, 1, binary), ".SH NAME", f"{escape(name)} \\- {short(command['abstract'])}",
             ".SH SYNOPSIS", *synopsis(command, default), *description(command)]
    if others:
        lines += [".SH COMMANDS"]
        for other in others:
            lines += tagged(bold(other["commandName"]), other["abstract"])
    lines += section(command, "REQUIREMENTS")
    lines += options(default) + fields(binary, command) + verdicts(command) + section(command, "OVERHEAD")
    lines += section(command, "ENVIRONMENT") + examples(command) + exit_status()
    links = [f"{full_name(o)}(1)" for o in others] or [f"{PROGRAM}(1)"]
    lines += see_also([*links, f"{PROGRAM}-columns(5)", *ALSO.get(command["commandName"], []), "ss(8)"])
    return lines


def columns_page(binary):
    markdown = declarations.output(binary, "schema", "--format", "markdown")
    name = f"{PROGRAM}-columns"
    lines = [*head(name, 5, binary), ".SH NAME", f"{escape(name)} \\- columns of tcpstate\\-trace's CSV and JSON Lines",
             ".SH DESCRIPTION", *flow(markdown.split("\n\n")[1]), ".PP", *flow(markdown.split("\n\n")[2]), ".PP",
             "Each entry has the name in CSV, in parentheses the one in JSON Lines, the",
             "type, and the unit if there is one.", ".SH FIELDS"]
    for part in re.split(r"^## ", markdown, flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        if title in ("Words", "Types"):
            lines.append(f".SH {title.upper()}")
            lines += [line for row in table(body, "") for line in tagged(inline(row[0]), cells(title, row))]
            continue
        lines += [f".SS {escape(title)}", *flow(body.strip().split("\n\n")[0])]
        for block in re.split(r"\n\n(?=[^|])", body)[0:]:
            if "|---" in block:
                intro = block.strip().split("\n\n")[0]
                if "adds" in intro:
                    lines += [".PP", *flow(intro)]
                for row in table(block, ""):
                    lines += tagged(f"{inline(row[0])} ({inline(row[1])})", column(row))
    return lines + see_also([f"{PROGRAM}(1)", f"{PROGRAM}-stuck(1)", f"{PROGRAM}-summary(1)"])


def column(row):
    kind = row[2] if not row[3] else f"{row[2]}, {row[3]}"
    return f"{kind[0].upper()}{kind[1:]}. {row[4]}"


def cells(title, row):
    return row[1] if title == "Words" else f"CSV: {row[1]}. JSON Lines: {row[2]}."


def main():
    binary, out = sys.argv[1:]
    root = declarations.root(binary)
    commands = declarations.commands(root)
    os.makedirs(out, exist_ok=True)
    pages = {f"{full_name(c)}.1": page(binary, c, commands if c is root else []) for c in [root, *commands]}
    pages[f"{PROGRAM}-columns.5"] = columns_page(binary)
    for name, lines in pages.items():
        path = os.path.join(out, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(line for line in lines if line) + "\n")
        print(path)


if __name__ == "__main__":
    main()
