#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns a screen as `tmux capture-pane -e` prints it into a page that looks like a terminal.

terminal.py TITLE < screen > page.html
"""
import html
import re
import sys

FRONT, BACK = "#d8dee9", "#14181f"
COLORS = ["#3b4252", "#e06c75", "#98c379", "#e5b35c", "#61a0ef", "#c678dd", "#56b6c2", "#d8dee9",
          "#5c6370", "#ef8891", "#b5e08f", "#f2cc81", "#82b8f5", "#d79bea", "#7fd0da", "#ffffff"]
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 14px; background: #fff; width: max-content; }}
#window {{ background: {back}; border-radius: 8px; overflow: hidden; box-shadow: 0 2px 10px #0005; }}
#title {{ background: #262c36; color: #9aa4b2; font: 13px "DejaVu Sans", sans-serif; text-align: center; padding: 7px; }}
pre {{ margin: 0; padding: 10px 14px 12px; color: {front};
       font: 14px/17px "DejaVu Sans Mono", monospace; letter-spacing: 0; }}
</style><div id="window"><div id="title">{title}</div><pre>{text}</pre></div>
"""


class Style:
    """What SGR sequences have set so far (ECMA-48, 8.3.117)."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.bold = self.faint = self.underlined = self.reversed = False
        self.front = self.back = None

    def apply(self, parameters):
        codes = [int(code or 0) for code in parameters.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "faint", 4: "underlined", 7: "reversed"}[code], True)
            elif code == 22:
                self.bold = self.faint = False
            elif code in (24, 27):
                setattr(self, {24: "underlined", 27: "reversed"}[code], False)
            elif code in (38, 48):
                color = extended(codes)
                self.front, self.back = (color, self.back) if code == 38 else (self.front, color)
            elif code in (39, 49):
                self.front, self.back = (None, self.back) if code == 39 else (self.front, None)
            else:
                for first, bright, name in ((30, 0, "front"), (40, 0, "back"), (90, 8, "front"), (100, 8, "back")):
                    if first <= code < first + 8:
                        setattr(self, name, COLORS[code - first + bright])

    def css(self):
        front, back = self.front or FRONT, self.back or BACK
        if self.reversed:
            front, back = back, front
        parts = [f"color:{front}"] if front != FRONT else []
        parts += [f"background:{back}"] if back != BACK else []
        parts += ["font-weight:bold"] * self.bold + ["opacity:.55"] * self.faint
        parts += ["text-decoration:underline"] * self.underlined
        return ";".join(parts)


def extended(codes):
    """A colour of 256, or of red, green and blue."""
    if codes.pop(0) == 2:
        return "#%02x%02x%02x" % tuple(codes.pop(0) for _ in range(3))
    number = codes.pop(0)
    if number < 16:
        return COLORS[number]
    if number >= 232:
        return "#" + "%02x" % (8 + 10 * (number - 232)) * 3
    levels = [0, 95, 135, 175, 215, 255]
    number -= 16
    return "#%02x%02x%02x" % (levels[number // 36], levels[number // 6 % 6], levels[number % 6])


def main():
    style, text = Style(), []
    for part in re.split(r"(\x1b\[[\d;]*m)", sys.stdin.read().rstrip("\n")):
        if part.startswith("\x1b"):
            style.apply(part[2:-1])
        elif part:
            css = style.css()
            text.append(f'<span style="{css}">{html.escape(part)}</span>' if css else html.escape(part))
    sys.stdout.write(PAGE.format(front=FRONT, back=BACK, title=html.escape(sys.argv[1]), text="".join(text)))


main()
