# SPDX-License-Identifier: Apache-2.0
"""Real servers under their own benchmarks: each load serves in a namespace, and counts the requests that a run made."""

import contextlib
import csv
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from harness import Failure, running

SECONDS = int(os.environ.get("BENCH_SECONDS", 3))
PORT, BACKEND = 8080, 8081
START_SECONDS = 20


def tool(name, package):
    """The path of a program, also of one that Debian keeps outside of PATH."""
    places = [*map(str, Path("/usr/lib/postgresql").glob("*/bin")), "/usr/sbin", "/sbin"]
    found = shutil.which(name, path=":".join([*places, os.environ["PATH"]]))
    if not found:
        raise Failure(f"{name} isn't installed: apt-get install {package}")
    return found


def written(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@contextlib.contextmanager
def served(net, command, port):
    """Runs a server in the foreground until the end of the context; waits until it accepts."""
    child = subprocess.Popen(["nsenter", f"--net={net}", *command], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    running.add(child)
    try:
        deadline = time.monotonic() + START_SECONDS
        while subprocess.run(["nsenter", f"--net={net}", "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"],
                             stderr=subprocess.DEVNULL, check=False).returncode:
            if child.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{os.path.basename(command[0])} doesn't serve on port {port}")
            time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.wait()
        running.discard(child)


class Load:
    """What is run against what; `serve` is a context, `requests` makes them and returns how many."""

    def client(self, net, command):
        ran = subprocess.run(["nsenter", f"--net={net}", *command], capture_output=True, text=True, timeout=120,
                             cwd="/", check=False)
        if ran.returncode:
            raise Failure(f"{command[0]}: {(ran.stderr or ran.stdout).strip().splitlines()[-1:]}")
        return ran.stdout

    def counted(self, output, pattern):
        found = re.search(pattern, output)
        if not found:
            raise Failure(f"{self.name}: the client doesn't say how many requests it made")
        return int(found[1])


class Nginx(Load):
    """One worker, and wrk with 32 connections."""

    name = "nginx and wrk, a new connection each request"
    headers = ["-H", "Connection: close"]

    @contextlib.contextmanager
    def serve(self, net, folder, port=PORT):
        page = os.path.join(folder, "www")
        os.makedirs(page, exist_ok=True)
        written(page, "index.html", "x" * 100)
        settings = written(folder, "nginx.conf", f"""
            daemon off; worker_processes 1; user root; pid {folder}/nginx.pid; error_log /dev/null;
            events {{ worker_connections 4096; }}
            http {{ access_log off; keepalive_requests 1000000000;
              client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
              uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
              server {{ listen 127.0.0.1:{port} backlog=4096; root {page}; }} }}""")
        with served(net, [tool("nginx", "nginx-light"), "-c", settings], port):
            yield

    def requests(self, net):
        output = self.client(net, [tool("wrk", "wrk"), "-t1", "-c32", f"-d{SECONDS}s", *self.headers,
                                   f"http://127.0.0.1:{PORT}/"])
        return self.counted(output, r"(\d+) requests in")


class KeepAlive(Nginx):
    """The same, with connections that stay."""

    name = "nginx and wrk, keep-alive"
    headers = []


class Redis(Load):
    """redis-benchmark without keep-alive."""

    name = "redis-benchmark, keep-alive off"
    count = 20_000 * SECONDS

    @contextlib.contextmanager
    def serve(self, net, folder):
        command = [tool("redis-server", "redis-server"), "--port", str(PORT), "--bind", "127.0.0.1", "--save", "",
                   "--appendonly", "no", "--dir", folder]
        with served(net, command, PORT):
            yield

    def requests(self, net):
        output = self.client(net, [tool("redis-benchmark", "redis-tools"), "-p", str(PORT), "-k", "0", "-t", "ping_mbulk",
                                   "-n", str(self.count), "-c", "32", "--csv"])
        rows = [row for row in csv.reader(output.splitlines()) if row and row[0].startswith("PING")]
        if not rows:
            raise Failure("redis-benchmark reports no result")
        return self.count


class HAProxy(Nginx):
    """HAProxy before nginx; neither keeps connections."""

    name = "HAProxy before nginx, new connections on both sides"

    @contextlib.contextmanager
    def serve(self, net, folder, port=PORT):
        settings = written(folder, "haproxy.cfg", f"""
global
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option httpclose
frontend f
  bind 127.0.0.1:{PORT}
  default_backend b
backend b
  http-reuse never
  server s 127.0.0.1:{BACKEND}
""")
        with super().serve(net, folder, BACKEND), served(net, [tool("haproxy", "haproxy"), "-f", settings], PORT):
            yield


class Postgres(Load):
    """pgbench that connects for each transaction."""

    name = "pgbench -C, a new connection each transaction"

    @contextlib.contextmanager
    def serve(self, net, folder):
        data = os.path.join(folder, "pg")
        os.makedirs(data, exist_ok=True)
        os.chmod(folder, 0o711)
        shutil.chown(data, "postgres", "postgres")
        as_postgres = [shutil.which("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if not os.listdir(data):
            subprocess.run([*as_postgres, tool("initdb", "postgresql"), "-D", data, "-A", "trust", "-N"], check=True,
                           stdout=subprocess.DEVNULL, cwd="/")
        command = [*as_postgres, tool("postgres", "postgresql"), "-D", data, "-p", str(PORT), "-h", "127.0.0.1", "-k", data,
                   "-F"]
        self.script = written(folder, "one.sql", "SELECT 1;\n")
        os.chmod(self.script, 0o644)
        with served(net, command, PORT):
            yield

    def requests(self, net):
        output = self.client(net, [tool("pgbench", "postgresql"), "-C", "-n", "-c", "4", "-T", str(SECONDS), "-f",
                                   self.script, "-h", "127.0.0.1", "-p", str(PORT), "-U", "postgres", "postgres"])
        return self.counted(output, r"actually processed: (\d+)")


ALL = [Nginx(), KeepAlive(), Redis(), HAProxy(), Postgres()]

