# SPDX-License-Identifier: Apache-2.0
"""What the binary declares of itself: commands, options and columns, for the man pages and the completions."""
import json
import subprocess

PROGRAM = "tcpstate-trace"
DEFAULT_COMMAND = "trace"
# Commands that write rows, and what `schema` calls these.
SUBJECTS = {"trace": "rows", "stuck": "stuck", "summary": "summary"}


def output(binary, *arguments):
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=True).stdout


def version(binary):
    """0.2.0"""
    return output(binary, "--version").split()[1]


def root(binary):
    return json.loads(output(binary, "--experimental-dump-help"))["command"]


def commands(root_command):
    """All except help, in the order of --help."""
    return [c for c in root_command["subcommands"] if c["commandName"] != "help" and c["shouldDisplay"]]


def columns(binary, subject):
    """CSV name → the schema's entry, with the JSON name as `json`."""
    schema = json.loads(output(binary, "schema", subject))
    return {entry["title"]: {**entry, "json": name} for name, entry in schema["properties"].items()}


def names(argument):
    """-L, --local-port"""
    return [("-" if n["kind"] == "short" else "--") + n["name"] for n in argument.get("names", [])]


def options(command):
    return [a for a in command.get("arguments", []) if a["shouldDisplay"] and a["kind"] != "positional"]


def positionals(command):
    return [a for a in command.get("arguments", []) if a["shouldDisplay"] and a["kind"] == "positional"]
