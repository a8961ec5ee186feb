# SPDX-License-Identifier: Apache-2.0
"""What each path answers, in which form, to whom."""
import gzip
import os
import socket
import subprocess
import tempfile

from requests_by_curl import curl
from server import Server, wait_for

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def equal(one, other, what):
    assert one == other, f"{what}: {one!r} instead of {other!r}"


def paths(binary):
    with Server(binary) as server:
        url = f"http://127.0.0.1:{server.port}"
        page = wait_for("the first page", lambda: (found := curl(f"{url}/metrics")).status == 200 and found)
        equal(page.headers["content-type"], TEXT, "content type")
        equal(page.headers["content-length"], str(len(page.body)), "length")
        equal(page.headers["vary"], "Accept, Accept-Encoding", "vary")
        subprocess.run(["promtool", "check", "metrics"], input=page.body.split(b"example_config")[0].split(b"example_scrapes")[0],
                       check=True)
        accepts = curl(f"{url}/metrics", "--header", "Accept: application/openmetrics-text; version=1.0.0")
        equal(accepts.headers["content-type"], OPEN, "content type")
        assert accepts.body.endswith(b"# EOF\n")
        packed = curl(f"{url}/metrics", "--header", "Accept-Encoding: gzip")
        equal(packed.headers["content-encoding"], "gzip", "encoding")
        assert gzip.decompress(packed.body).startswith(b"# HELP example_series"), "not the page"
        head = curl(f"{url}/metrics", "--head")
        assert head.status == 200 and int(head.headers["content-length"]) > 100 and not head.body
        landing = curl(f"{url}/")
        assert b'<a href="metrics">' in landing.body and b"&lt;series&gt;" in landing.body
        equal(landing.headers["content-type"], "text/html; charset=utf-8", "content type")
        for path in ("/healthz", "/-/healthy"):
            equal((curl(url + path).status, curl(url + path).body), (200, b"OK\n"), path)
        equal(curl(f"{url}/nothing").status, 404, "status")
        equal(curl(f"{url}/metrics?a=b").status, 200, "status")
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            refused = curl(f"{url}/metrics", "--request", method, "--data", "x=y")
            equal((refused.status, refused.headers["allow"]), (405, "GET, HEAD"), method)
        counts = wait_for("the count", lambda: b'code="405"} 4' in curl(f"{url}/metrics").body)
        assert counts
        return f"{len(page.body)} bytes, {len(packed.body)} with gzip"


def connections(binary):
    """Keep-alive, pipelining, HTTP/1.0, and pages that don't come."""
    with Server(binary) as server:
        wait_for("a page", lambda: curl(f"http://127.0.0.1:{server.port}/metrics").status == 200)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * 50 + b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            text = b""
            while piece := client.recv(65536):
                text += piece
        equal(text.count(b"HTTP/1.1 200 OK"), 51, "pipelined answers")
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            text = b""
            while piece := client.recv(65536):
                text += piece
        assert text.startswith(b"HTTP/1.0 200 OK") and text.endswith(b"OK\n"), text
    with Server(binary, "--silent") as server:
        equal(curl(f"http://127.0.0.1:{server.port}/metrics").status, 503, "without a page")
        equal(curl(f"http://127.0.0.1:{server.port}/healthz").status, 503, "without a page")
    return "51 pipelined"


def sockets(binary):
    """A socket as systemd passes it; the variables of another process are none."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Server(binary, "--web.systemd-socket", sockets=[listener]) as server:
            equal(server.port, listener.getsockname()[1], "port")
            equal(curl(f"http://127.0.0.1:{server.port}/-/healthy").status in (200, 503), True, "answer")
    cases = [
        (["--web.systemd-socket"], 69, "systemd passed no socket"),
        (["--web.listen-address=here:1"], 64, "numeric address"),
        (["--web.listen-address=192.0.2.1:1"], 69, "no such address"),
        (["--web.config.file=/nonexistent"], 65, "No such file"),
    ]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cases.append(([f"--web.listen-address=127.0.0.1:{port}"], 69, "another program"))
        for options, status, part in cases:
            process = subprocess.run([binary, *options], capture_output=True, text=True, timeout=20,
                                     env={**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "1"})
            equal((process.returncode, process.stderr.count("\n")), (status, 1), f"{options}: {process.stderr}")
            assert part in process.stderr, process.stderr
    return f"{len(cases)} errors in one line"


def hashed(password, cost=10):
    """By crypt(3), as htpasswd -B makes it."""
    import ctypes
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), f"$2y${cost:02}$abcdefghijklmnopqrstuu".encode()).decode()


def passwords(binary):
    """Users, whose passwords change while it runs; a wrong file changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/web.yml"

        def write(text):
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(f"{path}.new", path)

        write(f"basic_auth_users:\n  alice: {hashed('first')}\n")
        with Server(binary, f"--web.config.file={path}") as server:
            url = f"http://127.0.0.1:{server.port}/metrics"
            wait_for("a page", lambda: curl(url, "--user", "alice:first").status == 200)
            nobody = curl(url)
            equal((nobody.status, nobody.headers["www-authenticate"]), (401, "Basic"), "nobody")
            known = min(curl(url, "--user", "alice:wrong").seconds for _ in range(3))
            unknown = min(curl(url, "--user", "mallory:first").seconds for _ in range(3))
            cached = min(curl(url, "--user", "alice:first").seconds for _ in range(3))
            equal(curl(url, "--user", "mallory:first").status, 401, "an unknown user")
            assert 0.4 < unknown / known < 2.5, f"an unknown user takes {unknown} s, a known one {known} s"
            assert cached < known / 2, f"a verified password takes {cached} s, a wrong one {known} s"
            write(f"basic_auth_users:\n  alice: {hashed('second')}\n")
            wait_for("the new password", lambda: curl(url, "--user", "alice:second").status == 200)
            equal(curl(url, "--user", "alice:first").status, 401, "the old password")
            write("basic_auth_users:\n  alice: plain\n")
            wait_for("a message", lambda: curl(url) and f"{path}:2: " in server.text())
            page = curl(url, "--user", "alice:second")
            equal(page.status, 200, "the password before the wrong file")
            assert "plain" not in server.text().split("bcrypt")[-1]
            wait_for("the gauge", lambda: b"reload_successful 0" in curl(url, "--user", "alice:second").body)
            write("http_server_config:\n  headers: {X-Frame-Options: deny}\n")
            wait_for("no passwords", lambda: curl(url).status == 200)
            equal(curl(url).headers["x-frame-options"], "deny", "header")
        return f"a check takes {known * 1000:.0f} ms, of an unknown user {unknown * 1000:.0f} ms, a verified one {cached * 1000:.1f} ms"


def rate(binary):
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("rate_limit: {interval: 1h, burst: 3}\n")
        file.flush()
        with Server(binary, f"--web.config.file={file.name}") as server:
            codes = [curl(f"http://127.0.0.1:{server.port}/-/healthy").status for _ in range(5)]
            equal(codes[3:], [429, 429], "statuses")
    return "3 of 5"
