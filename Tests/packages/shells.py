#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Completes in real shells on a terminal, as somebody types: shells.py SHELL COMPLETIONS [ROOT]

SHELL: bash, zsh or fish. COMPLETIONS: the folder that scripts/completions.py made, or `-`: where the package put them,
with the shell's own set-up. ROOT: another root, for chroot(1).

What is typed ends with Tab (^) and then Enter; the program is a function that prints its arguments, so that a test sees
what the shell would have run, quotes and all.
"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

# Where the tests' files are, in ROOT too.
FOLDER = "tcpstate-completion-test"
HOSTILE = "x$(id)`y"  # a process's name

# What is typed, and the arguments that come of it, in each way that is right. {pid} is a process's, {folder} the tests'.
CASES = [
    ("tcpstate-trace stu^", ["stuck"]),
    ("tcpstate-trace life^", ["lifecycle"]),
    ("tcpstate-trace --stri^", ["--strict"]),  # of the default command
    ("tcpstate-trace --max^5", ["--max-connections", "5"]),
    ("tcpstate-trace trace --exc^", ["trace", "--excel-safe"]),
    ("tcpstate-trace stuck --older^5s", ["stuck", "--older-than", "5s"]),
    ("tcpstate-trace --state close-^", ["--state", "close-wait"]),
    ("tcpstate-trace --state=last^", ["--state=last-ack"]),
    ("tcpstate-trace --state syn-sent,fin-wait-2,syn-r^", ["--state", "syn-sent,fin-wait-2,syn-received"]),
    ("tcpstate-trace -L 443 --format js^", ["-L", "443", "--format", "jsonl"]),
    ("tcpstate-trace --format=cs^", ["--format=csv"]),
    ("tcpstate-trace report --format pe^", ["report", "--format", "perfetto"]),
    ("tcpstate-trace lifecycle --format ta^", ["lifecycle", "--format", "table"]),
    ("tcpstate-trace --columns process_p^", ["--columns", "process_pid"]),
    ("tcpstate-trace --columns process_pid,reset_^", ["--columns", "process_pid,reset_reason"]),
    ("tcpstate-trace stuck --columns age,listener_n^", ["stuck", "--columns", "age,listener_name"]),
    ("tcpstate-trace summary --by proc^", ["summary", "--by", "process"]),
    ("tcpstate-trace summary --by role,remote^", ["summary", "--by", "role,remote-port"]),
    ("tcpstate-trace --color ne^", ["--color", "never"]),
    ("tcpstate-trace --attach cl^", ["--attach", "classic"]),
    ("tcpstate-trace --process tcpst-sle^", ["--process", "tcpst-sleeper"]),
    ("tcpstate-trace --process nginx,tcpst-sle^", ["--process", "nginx,tcpst-sleeper"]),
    ("tcpstate-trace stuck --pid {pid}^--watch", ["stuck", "--pid", "{pid}", "--watch"],
     ["stuck", "--pid", "{pid},--watch"]),  # zsh offers to go on with the list
    ("tcpstate-trace --netns se^", ["--netns", "self"]),
    ("tcpstate-trace --read {folder}/record^", ["--read", "{folder}/recording.csv"]),
    ("tcpstate-trace stuck --read {folder}/recording.csv {folder}/oth^",
     ["stuck", "--read", "{folder}/recording.csv", "{folder}/other file.csv"]),
    ("tcpstate-trace --output {folder}/record^", ["--output", "{folder}/recording.csv"]),
    ("tcpstate-trace --cgroup {folder}/fold^", ["--cgroup", "{folder}/folder/"],
     ["--cgroup", "{folder}/folder"]),
    ("tcpstate-trace help summ^", ["help", "summary"]),
    ("tcpstate-trace schema st^", ["schema", "stuck"]),
    ("tcpstate-trace schema --format mark^", ["schema", "--format", "markdown"]),
    ("tcpstates --journal-s^x", ["--journal-socket", "x"]),
    ("tcpstates -L 80 --skip^", ["-L", "80", "--skip-bad"]),
    # Words without a dash are filters.
    ("tcpstate-trace close-^", ["close-wait"]),
    ("tcpstate-trace tcpst-sle^", ["tcpst-sleeper"]),
    ("tcpstate-trace top 443 fin-wait-1 tcpst-sle^", ["top", "443", "fin-wait-1", "tcpst-sleeper"]),
    ("tcpstate-trace stuck syn-r^--watch", ["stuck", "syn-received", "--watch"]),
    ("tcpstate-trace summary {folder}/record^", ["summary", "{folder}/recording.csv"]),
    # Foreign text is inserted as it is, and never run.
    ("tcpstate-trace --process x^", ["--process", HOSTILE]),
    # What isn't known stays as it was typed.
    ("tcpstate-trace --peer 10.^", ["--peer", "10."]),
    ("tcpstate-trace -D 44^", ["-D", "44"]),
]

# With the shell's own set-up, which completes what follows sudo; in a root of its own, where a namespace may be made up.
INSTALLED = [
    ("sudo tcpstate-trace stuck --older^5s", ["tcpstate-trace", "stuck", "--older-than", "5s"]),
    ("sudo tcpstate-trace --state close-^", ["tcpstate-trace", "--state", "close-wait"]),
    ("tcpstate-trace --netns /run/netns/tcpst-completi^", ["--netns", "/run/netns/tcpst-completion"]),
    ("tcpstate-trace --pod tcpst-space/w^", ["--pod", "tcpst-space/web-0"]),
    ("tcpstate-trace stuck --pod a/b,tcpst-space/w^", ["stuck", "--pod", "a/b,tcpst-space/web-0"]),
    ("tcpstate-trace --container tcpst-ngi^", ["--container", "tcpst-nginx"]),
]

FUNCTION = "{ printf '<%s>' \"$@\"; echo 'END'; }"
SETUP = {
    "bash": "{source} tcpstate-trace() {function}\ntcpstates() {function}\nsudo() {function}\n"
            "bind 'set enable-bracketed-paste off' 'set bell-style none'\n",
    "zsh": "unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste; {source}\n"
           "tcpstate-trace() {function}\ntcpstates() {function}\nsudo() {function}\n",
    "fish": "{source}\nfunction tcpstate-trace; printf '<%s>' $argv; echo END; end\n"
            "function tcpstates; printf '<%s>' $argv; echo END; end\n"
            "function sudo; printf '<%s>' $argv; echo END; end\n",
}
SOURCES = {
    ("bash", True): "source {folder}/bash/tcpstate-trace\n",
    ("bash", False): "source /usr/share/bash-completion/bash_completion\n",
    ("zsh", True): "fpath=({folder}/zsh $fpath); autoload -Uz compinit; compinit -u -D",
    ("zsh", False): "autoload -Uz compinit; compinit -u -D",
    ("fish", True): "set -p fish_complete_path {folder}/fish",
    ("fish", False): "",
}
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}


class Terminal:
    """A shell on a terminal."""

    def __init__(self, command, environment):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        self.text = ""

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def wait(self, pattern, seconds=60):
        """Reads until the pattern is there; returns the match, and forgets everything up to it."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self.text)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.descriptor], [], [], left)[0]:
                raise TimeoutError(f"no {pattern!r} in {self.text[-600:]!r}")
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                raise EOFError(f"the shell has ended: {self.text[-600:]!r}") from None
            self.text += re.sub(r"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\x1b\(B", "",
                                data.decode(errors="replace"))
            self.answer(data)
        self.text = self.text[match.end():]
        return match

    def answer(self, data):
        """fish asks where the cursor is, and what terminal this is, before it goes on."""
        if b"\x1b[6n" in data:
            self.type("\x1b[1;1R")
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            self.type("\x1b[?1;2c")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


def sleepers():
    """Processes to complete, in this PID namespace: the name is what they write to comm."""
    script = "open('/proc/self/comm', 'w').write({!r}); print(flush=True); import time; time.sleep(600)"
    running = [subprocess.Popen([sys.executable, "-c", script.format(name)], stdout=subprocess.PIPE)
               for name in ("tcpst-sleeper", HOSTILE)]
    for process in running:
        process.stdout.readline()
    return running


def files(root):
    """The tests' folder, as it is called inside the root."""
    folder = tempfile.mkdtemp(prefix=FOLDER, dir=f"{root}tmp")
    for name in ("recording.csv", "other file.csv"):
        open(f"{folder}/{name}", "w", encoding="utf-8").close()
    os.mkdir(f"{folder}/folder")
    if root != "/":
        os.makedirs(f"{root}run/netns", exist_ok=True)
        open(f"{root}run/netns/tcpst-completion", "w", encoding="utf-8").close()
        os.makedirs(f"{root}var/log/pods/tcpst-space_web-0_8f1c2b3a", exist_ok=True)
        os.makedirs(f"{root}var/log/containers", exist_ok=True)
        log = f"{root}var/log/containers/web-0_tcpst-space_tcpst-nginx-{'f5' * 32}.log"
        open(log, "w", encoding="utf-8").close()
    return "/" + folder.removeprefix(root)


def run_case(terminal, typed, *expected):
    """None, or what came instead."""
    before, _, after = typed.partition("^")
    # What is typed after Tab could otherwise come before the shell has completed: it reads in order.
    terminal.type(f"{before}\t{after}\n")
    shown = terminal.wait(r"(?s)(?:^|\n|\r)((?:<[^\r\n]*>)?)END")[1]
    arguments = re.findall(r"<([^>]*)>", shown)
    return None if arguments in [*expected, *map(joined, expected)] else arguments


def joined(arguments):
    """With = between the last option and its value: zsh writes it if something follows without a blank."""
    return [*arguments[:-2], "=".join(arguments[-2:])]


def filled(case, pid, folder):
    def text(word):
        return word.replace("{pid}", str(pid)).replace("{folder}", folder)
    return [text(part) if isinstance(part, str) else [text(word) for word in part] for part in case]


def main():
    shell, completions, root = sys.argv[1], sys.argv[2], (sys.argv[3:] or [""])[0].rstrip("/") + "/"
    given = completions != "-"
    folder, running = files(root), sleepers()
    command = (["chroot", root] if root != "/" else []) + START[shell]
    if not given and shell == "fish":
        command.remove("--no-config")  # which leaves out the folders of packages, too
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "TERM": "xterm", "HOME": folder,
                   "LC_ALL": "C.UTF-8", "PS1": "> ", "LINES": "50", "COLUMNS": "400"}
    terminal = Terminal(command, environment)
    failed, cases = 0, CASES if given else CASES + INSTALLED
    try:
        source = SOURCES[shell, given].format(folder=os.path.abspath(completions))
        terminal.type(SETUP[shell].replace("{source}", source).replace("{function}", FUNCTION) + "echo READY-$((1+1))\n"
                      .replace("$((1+1))", "(math 1 + 1)" if shell == "fish" else "$((1+1))"))
        terminal.wait("READY-2")
        for case in cases:
            typed, *expected = filled(case, running[0].pid, folder)
            found = run_case(terminal, typed, *expected)
            if found is not None:
                failed += 1
                print(f"{shell}: {typed}: {found} instead of {expected[0]}")
    finally:
        terminal.close()
        for process in running:
            process.kill()
            process.wait()
        subprocess.run(["rm", "-r", f"{root}{folder[1:]}"], check=True)
    print(f"{shell}: {len(cases) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
