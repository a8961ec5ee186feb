# SPDX-License-Identifier: Apache-2.0
"""The web server as a process of its own, and what it takes."""
import os
import re
import signal
import subprocess
import tempfile
import time

LIMIT = 60


def wait_for(what, ready, limit=LIMIT):
    """Asks until `ready` gives something; an error of the network is a no."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if found := ready():
                return found
        except OSError:
            pass
        time.sleep(0.02)
    raise AssertionError(f"{what}: nothing in {limit} s")


class Server:
    """`binary` with options; `port` is that of its first address."""

    def __init__(self, binary, *options, sockets=()):
        self.log = tempfile.NamedTemporaryFile("w+", prefix="tcpstate-web-")
        command = [binary, *options]
        numbers = [listener.fileno() for listener in sockets]
        if sockets:
            # Descriptors from 3 on, as systemd passes them. LISTEN_PID is the program's own, which only the shell that
            # becomes it knows.
            passed = " ".join(f"{3 + place}<&{number}" for place, number in enumerate(numbers))
            command = ["sh", "-c", f'export LISTEN_PID=$$ LISTEN_FDS={len(sockets)}; exec "$0" "$@" {passed}', *command]
        elif not any(option.startswith("--web.listen-address") for option in options):
            command.append("--web.listen-address=127.0.0.1:0")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        pass_fds=numbers)
        self.port = int(wait_for("the server", self.listening))

    def listening(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it has ended with {self.process.returncode}: {self.text()}")
        found = re.search(r"listening on \S*:(\d+)\n", self.text())
        return found and found[1]

    def text(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def memory(self, field="VmRSS"):
        """Megabytes: VmRSS now, VmHWM at most so far."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(rf"{field}:\s+(\d+) kB", file.read())[1]) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.log.close()
