#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tcpstate-exporter(8) from what the binary declares of its options: man_exporter.py BINARY OUT

What no declaration has comes from man/exporter.md, the exit statuses from docs/exporter.md.
"""
import os
import re
import sys

import declarations
from man import date, description, examples, options, see_also, short, text_of
from roff import bold, escape, italic, paragraphs, table, tagged

NAME = "tcpstate-exporter"


def sections(*titles):
    texts = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text_of("scripts", "man", "exporter.md"), re.M | re.S))
    for title in titles:
        yield from [f".SH {title}", *paragraphs(texts[title])]


def page(binary):
    command = declarations.root(binary)
    lines = [f'.TH {NAME.upper()} 8 "{date()}" "{NAME} {declarations.version(binary)}" "System Administration"',
             ".SH NAME", f"{escape(NAME)} \\- {short(command['abstract'])}",
             ".SH SYNOPSIS", f"{bold(NAME)} [{italic('options')}]", *description(command)]
    lines += [*sections("REQUIREMENTS"), *options(command), *sections("PATHS", "WEB CONFIGURATION", "FILES"), *examples(command)]
    lines += [".SH EXIT STATUS"]
    for status, meaning in table(text_of("docs", "exporter.md"), "## Exit status"):
        lines += tagged(bold(status), f"{meaning[0].upper()}{meaning[1:]}.")
    return lines + see_also(["tcpstate-trace(1)", "prometheus(1)", "systemd.socket(5)"])


def main():
    binary, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, f"{NAME}.8")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(line for line in page(binary) if line) + "\n")
    print(path)


if __name__ == "__main__":
    main()
