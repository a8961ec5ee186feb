#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the completions for bash, zsh and fish from what the binary declares: completions.py BINARY OUT

ArgumentParser's own scripts (--generate-completion-script) offer no option of the default command, nothing after
a comma, and would have to run foreign names through `compgen -W`, which expands them: a process called `$(…)`
would run as whoever presses Tab.
"""
import os
import sys
from collections import namedtuple

import declarations

TEMPLATES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "completions")
# Values that only the running machine knows.
DYNAMIC = {"--process": "process", "--pid": "pid", "--netns": "netns", "--container": "container", "--pod": "pod",
           "--unit": "unit"}
FILES = {"bash": "tcpstate-trace", "zsh": "_tcpstate-trace", "fish": "tcpstate-trace.fish"}

# kind: flag, word, file, directory, process, pid, netns, container, pod, unit or none (a value that nothing is known of).
# several: items are separated by commas. repeats: it takes words up to the next option.
Option = namedtuple("Option", "names kind values several repeats text")


def value_kind(argument):
    if argument["kind"] == "flag":
        return "flag", []
    completion = argument.get("completionKind") or {}
    if "list" in completion:
        return "word", completion["list"]["values"]
    return next(iter(set(completion) & {"file", "directory"}), "none"), []


def option(binary, command, argument):
    names = declarations.names(argument)
    kind, values = value_kind(argument)
    several = argument.get("valueName") == "list"
    if "--columns" in names and command in declarations.SUBJECTS:
        kind, values = "word", ["default", "all", *declarations.columns(binary, declarations.SUBJECTS[command])]
    for name in set(names) & set(DYNAMIC):
        kind, several = DYNAMIC[name], name != "--netns"
    text = argument.get("abstract", "").split(". ")[0].rstrip(".").replace("`", "")
    return Option(names, kind, values, several, argument["parsingStrategy"] == "upToNextOption", text)


class Program:
    """Everything that a template needs."""

    def __init__(self, binary):
        root = declarations.root(binary)
        self.texts, self.options, self.words, self.filters = {}, {}, {}, {}
        for command in declarations.commands(root):
            name = command["commandName"]
            self.texts[name] = command["abstract"].rstrip(".")
            self.options[name] = [option(binary, name, a) for a in declarations.options(command)]
            for argument in declarations.positionals(command):
                if argument["valueName"] == "filter":  # a state, a process, a recording, and what can't be known
                    self.filters[name] = next(o.values for o in self.options[name] if "--state" in o.names)
                else:  # one word of a list
                    self.words[name] = value_kind(argument)[1]
        self.texts["help"], self.options["help"] = "Show the help of a command", []
        self.words["help"] = [name for name in self.texts if name != "help"]


# bash

def bash_pattern(pairs):
    return " | ".join(f"{command}:{name}" for command, name in pairs)


def bash(program):
    groups = {}
    for command, options in program.options.items():
        for each in options:
            key = (each.kind, each.several, each.repeats, tuple(each.values))
            groups.setdefault(key, []).extend((command, name) for name in each.names)
    arms = []
    for (kind, several, repeats, values), pairs in groups.items():
        if kind == "flag":
            continue
        arms.append(f"    {bash_pattern(pairs)})\n      kind={kind} several={'yes' if several else ''} "
                    f"repeats={'yes' if repeats else ''} values='{' '.join(values)}' ;;")
    lists = [f"    {command}) options='{' '.join(n for o in options for n in o.names)}' ;;"
             for command, options in program.options.items()]
    words = [f"    {command}) values='{' '.join(values)}' ;;" for command, values in program.words.items()]
    words += [f"    {' | '.join(program.filters)}) filters=yes values='{' '.join(values)}' ;;"
              for values in list(program.filters.values())[:1]]
    return {"COMMANDS": " ".join(program.texts), "VALUES": "\n".join(arms), "OPTIONS": "\n".join(lists),
            "WORDS": "\n".join(words)}


# zsh

def zsh_quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_text(text):
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text


def zsh_action(each):
    if each.kind == "word":
        return (f"_tcpstate_trace_list {' '.join(each.values)}" if each.several else f"({' '.join(each.values)})")
    return {"file": "_files", "directory": "_files -/", "process": "_tcpstate_trace_processes",
            "pid": "_tcpstate_trace_pids", "netns": "_tcpstate_trace_namespaces",
            **{kind: f" _tcpstate_trace_named {kind}" for kind in ("container", "pod", "unit")}}.get(each.kind, " ")


def zsh_spec(each):
    """One word of _arguments for each name; a name excludes the others of the same option, and itself."""
    excluded = f"({' '.join(each.names)})" if not each.repeats else "*"
    for name in each.names:
        spec = f"{excluded}{name}"
        if each.kind != "flag" and not each.repeats:
            spec += "=" if name.startswith("--") else "+"
        spec += f"[{zsh_text(each.text)}]"
        if each.kind != "flag":
            # A word of several arguments ends at the next option.
            spec += f":{'*-*:' if each.repeats else ''}{each.kind if each.kind != 'none' else 'value'}:{zsh_action(each)}"
        yield zsh_quote(spec)


def zsh(program):
    arms = []
    for command, options in program.options.items():
        specs = [f"        {spec}" for each in options for spec in zsh_spec(each)]
        if command in program.words:
            specs.append(f"        {zsh_quote('1:' + command + ':(' + ' '.join(program.words[command]) + ')')}")
        if command in program.filters:
            specs.append("        '*:filter:_tcpstate_trace_filters'")
        arms.append("\n".join([f"    {command})", "      specs=(", *specs, "      ) ;;"]))
    names = [f"    {zsh_quote(name + ':' + text)}" for name, text in program.texts.items()]
    return {"COMMANDS": "\n".join(names), "OPTIONS": "\n".join(arms),
            "STATES": " ".join(next(iter(program.filters.values()), []))}


# fish

def fish_quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_value(each):
    if each.kind == "flag":
        return ""
    if each.kind == "file":
        return " -r -F"
    if each.kind == "none":
        return " -x"
    source = {"directory": "(__fish_complete_directories (commandline -ct))", "netns": "(__tcpstate_trace_namespaces)",
              "process": "(__tcpstate_trace_processes | __tcpstate_trace_list)",
              "pid": "(__tcpstate_trace_pids | __tcpstate_trace_list)",
              **{kind: f"(__tcpstate_trace_named {kind} | __tcpstate_trace_list)"
                 for kind in ("container", "pod", "unit")}}.get(each.kind)
    if each.kind == "word":
        words = " ".join(each.values)
        source = f"(string split ' ' '{words}' | __tcpstate_trace_list)" if each.several else words
    return f" -x -a {fish_quote(source)}"


def fish(program):
    groups = {}
    for command, options in program.options.items():
        for each in options:
            flags = "".join(f" -{'l' if name.startswith('--') else 's'} {name.lstrip('-')}" for name in each.names)
            groups.setdefault(f"{flags}{fish_value(each)} -d {fish_quote(each.text)}", []).append(command)
    lines = [f"complete -c tcpstate-trace -n '__tcpstate_trace_is {' '.join(commands)}'{rest}"
             for rest, commands in groups.items()]
    names = [f"complete -c tcpstate-trace -n __tcpstate_trace_is_first -a {name} -d {fish_quote(text)}"
             for name, text in program.texts.items()]
    words = [f"complete -c tcpstate-trace -n '__tcpstate_trace_is_second {command}' -a '{' '.join(values)}'"
             for command, values in program.words.items()]
    return {"COMMANDS": "\n".join(names), "OPTIONS": "\n".join(lines), "WORDS": "\n".join(words),
            "FILTERED": " ".join(program.filters), "STATES": " ".join(next(iter(program.filters.values()), [])),
            "NAMES": " ".join(program.texts)}


def main():
    binary, out = sys.argv[1:]
    program = Program(binary)
    for shell, make in (("bash", bash), ("zsh", zsh), ("fish", fish)):
        with open(os.path.join(TEMPLATES, f"{shell}.in"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(TEMPLATES, "named.sh"), encoding="utf-8") as file:
            named = "".join(line for line in file if not line.startswith("#")).rstrip()
        for key, value in {**make(program), "DEFAULT": declarations.DEFAULT_COMMAND, "NAMED": named}.items():
            text = text.replace(f"@{key}@", value)
        folder = os.path.join(out, shell)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, FILES[shell])
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        print(path)
    # bash and fish look up each program in a file of its own.
    for path, line in (("bash/tcpstates", '. "${BASH_SOURCE[0]%/*}/tcpstate-trace"'),
                       ("fish/tcpstates.fish", "complete -c tcpstates -w 'tcpstate-trace tcpstates'")):
        with open(os.path.join(out, path), "w", encoding="utf-8") as file:
            file.write(f"# tcpstates is the command of this name; made by scripts/completions.py, don't edit.\n{line}\n")
        print(os.path.join(out, path))


if __name__ == "__main__":
    main()
