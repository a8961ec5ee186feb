# SPDX-License-Identifier: Apache-2.0
"""curl as a client."""
import subprocess


class Answer:
    def __init__(self, text, status, seconds):
        head, _, self.body = text.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status, self.seconds = status, seconds
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}


def curl(url, *options, fails=False):
    """The answer; with `fails`, curl's exit status, which mustn't be 0."""
    command = ["curl", "--silent", "--show-error", "--include", "--raw", "--max-time", "20", "--noproxy", "*",
               "--write-out", "%{stderr}%{http_code} %{time_total}", *options, url]
    process = subprocess.run(command, capture_output=True)
    if fails:
        assert process.returncode, f"{url}: curl succeeds: {process.stdout[:200]}"
        return process.returncode
    assert process.returncode == 0, f"{url}: curl {process.returncode}: {process.stderr.decode()}"
    status, seconds = process.stderr.decode().split()[-2:]
    return Answer(process.stdout, int(status), float(seconds))
