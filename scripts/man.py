#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the man pages from what the binary says of itself: man.py BINARY OUT

One page for the program, one for each command. The options come from the declarations that also
make --help and the completions, the FIELDS from the declarations of the columns.
"""
import json
import os
import re
import subprocess
import sys

PROGRAM = "tcpstate-trace"
FIELDS = {"trace": "rows", "stuck": "stuck", "summary": "summary"}
EXIT_STATUS = [
    ("0", "Done, also when the reader of a pipe goes away."),
    ("1", "stuck has found some."),
    ("3", "Under --strict: the result is incomplete."),
    ("64", "The command line is wrong."),
    ("65", "An input can't be read; the message names file and line."),
    ("69", "The kernel can't do it; the message names what is missing."),
    ("74", "The output can't be written; what was written before is whole."),
    ("77", "A capability is missing; the message names it."),
]


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"^\.", "\\\\&.", text, flags=re.M)


def ask(binary, *arguments):
    return json.loads(subprocess.run([binary, *arguments], capture_output=True, check=True).stdout)


def option(argument):
    names = []
    for name in argument["names"]:
        names.append(f"\\fB\\-{escape(name['name'])}\\fR" if name["kind"] == "short"
                     else f"\\fB\\-\\-{escape(name['name'])}\\fR")
    if argument["kind"] == "option":
        names[-1] += f" \\fI{escape(argument['valueName'])}\\fR"
    lines = [".TP", ", ".join(names), escape(argument.get("abstract", ""))]
    if argument.get("discussion"):
        lines[-1] += " " + escape(argument["discussion"])
    if argument.get("defaultValue"):
        lines[-1] += f" (default {escape(argument['defaultValue'])})"
    return lines


def options(command):
    lines, section = [".SH OPTIONS"], None
    arguments = [a for a in command.get("arguments", []) if a["shouldDisplay"] and a["kind"] != "positional"]
    # Groups in the order of their first option.
    order = list(dict.fromkeys(a.get("sectionTitle") for a in arguments))
    for argument in sorted(arguments, key=lambda a: order.index(a.get("sectionTitle"))):
        if argument.get("sectionTitle") != section:
            section = argument.get("sectionTitle")
            lines.append(f".SS {escape(section or 'Others')}")
        lines += option(argument)
    return lines


def description(command):
    text, _, examples = (command.get("discussion") or "").partition("EXAMPLES")
    lines = [".SH DESCRIPTION", escape(command["abstract"])]
    for paragraph in filter(None, (part.strip() for part in text.split("\n\n"))):
        lines += [".PP", escape(" ".join(paragraph.split()))]
    if examples:
        heading, _, body = examples.partition("\n")
        lines += [".SH EXAMPLES"]
        if heading.strip(" ,:"):
            lines += [escape(heading.strip(" ,:").replace("`", "")) + ":"]
        lines += [".EX", escape(body.strip("\n")), ".EE"]
    return lines


def fields(binary, subject):
    schema = ask(binary, "schema", subject)
    lines = [".SH FIELDS", "Columns of csv; the names in JSON Lines follow in parentheses."]
    for name, entry in schema["properties"].items():
        words = f" One of {', '.join(entry['enum'])}." if entry.get("enum") else ""
        lines += [".TP", f"\\fB{escape(entry.get('title', name))}\\fR ({escape(name)})",
                  escape(entry.get("description", "") + words)]
    return lines


def exit_status():
    lines = [".SH EXIT STATUS"]
    for status, meaning in EXIT_STATUS:
        lines += [".TP", f"\\fB{status}\\fR", escape(meaning)]
    return lines


def page(binary, version, command, others):
    name = command["commandName"]
    full = PROGRAM if name == PROGRAM else f"{PROGRAM}-{name}"
    call = PROGRAM if name == PROGRAM else f"{PROGRAM} {name}"
    words = "command" if name == PROGRAM else "options"
    lines = [f'.TH {full.upper()} 1 "" "{version}" "User Commands"', ".SH NAME",
             f"{escape(full)} \\- {escape(command['abstract'].rstrip('.'))}", ".SH SYNOPSIS",
             f"\\fB{escape(call)}\\fR [\\fI{words}\\fR]"]
    lines += description(command)
    if name == PROGRAM:
        lines += [".SH COMMANDS"]
        for other in others:
            lines += [".TP", f"\\fB{escape(other['commandName'])}\\fR", escape(other["abstract"])]
    lines += options(command)
    if name in FIELDS:
        lines += fields(binary, FIELDS[name])
    lines += exit_status()
    pages = [f"\\fB{escape(PROGRAM)}\\fR(1)"] if name != PROGRAM else [
        f"\\fB{escape(PROGRAM + '-' + other['commandName'])}\\fR(1)" for other in others]
    lines += [".SH SEE ALSO", ", ".join(pages + ["\\fBss\\fR(8)"])]
    return full, "\n".join(line for line in lines if line) + "\n"


def main():
    binary, out = sys.argv[1:]
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split(" (")[0]
    root = ask(binary, "--experimental-dump-help")["command"]
    commands = [c for c in root["subcommands"] if c["commandName"] != "help"]
    os.makedirs(out, exist_ok=True)
    for command in [root, *commands]:
        name, text = page(binary, version.strip(), command, commands)
        with open(os.path.join(out, f"{name}.1"), "w", encoding="utf-8") as file:
            file.write(text)
        print(os.path.join(out, f"{name}.1"))


if __name__ == "__main__":
    main()
