# SPDX-License-Identifier: Apache-2.0
"""TLS and client certificates, with curl, openssl and a real Prometheus."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.parse
import urllib.request

from certificates import Authority
from plain import equal, hashed
from requests_by_curl import curl
from server import Server, wait_for


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def serial(port):
    """Of the certificate that the server shows."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}"], input=b"", capture_output=True)
    return subprocess.run(["openssl", "x509", "-noout", "-serial"], input=shown.stdout, capture_output=True).stdout


def tls(binary):
    with tempfile.TemporaryDirectory() as folder:
        authority, other = Authority(folder), Authority(folder, "other")
        authority.issue("server", "IP:127.0.0.1,DNS:localhost")
        authority.issue("prometheus", "DNS:prometheus.example,IP:10.0.0.1", "clientAuth")
        authority.issue("stranger", "DNS:stranger.example", "clientAuth")
        other.issue("impostor", "DNS:prometheus.example", "clientAuth")
        path = f"{folder}/web.yml"
        base = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"

        def write(text):
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(f"{path}.new", path)

        def of(name):
            return ["--cacert", authority.certificate, "--cert", f"{folder}/{name}.crt", "--key", f"{folder}/{name}.key"]

        write(base)
        with Server(binary, f"--web.config.file={path}") as server:
            url = f"https://127.0.0.1:{server.port}/metrics"
            trusted = ["--cacert", authority.certificate]
            wait_for("a page", lambda: curl(url, *trusted).status == 200)
            curl(url, fails=True)  # not trusted by the system
            curl(url.replace("https", "http"), fails=True)
            curl(url, *trusted, "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", fails=True)
            for version in ("1.2", "1.3"):
                equal(curl(url, *trusted, f"--tlsv{version}", "--tls-max", version).status, 200, version)
            before = serial(server.port)
            authority.issue("server", "IP:127.0.0.1")
            wait_for("the new certificate", lambda: serial(server.port) not in (before, b""))
            write(base + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n")
            wait_for("client certificates", lambda: server.text().count("read again") == 2 or serial(server.port) and None)
            equal(curl(url, *of("prometheus")).status, 200, "a client with a certificate")
            curl(url, *trusted, fails=True)
            curl(url, *of("impostor"), fails=True)
            write(base + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
                  "  client_allowed_sans: [10.0.0.1]\n")
            wait_for("names", lambda: curl(url, *of("prometheus")) and server.text().count("read again") == 3)
            curl(url, *of("stranger"), fails=True)
            equal(curl(url, *of("prometheus")).status, 200, "a client with the name")
            write(base + "  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n")
            wait_for("no certificates", lambda: curl(url, *of("prometheus")) and server.text().count("read again") == 4)
            equal(curl(url, *trusted).status, 200, "a client without a certificate")
            curl(url, *of("impostor"), fails=True)
            write(base + "  client_auth_type: RequireAnyClientCert\n")
            wait_for("any certificate", lambda: curl(url, *of("prometheus")) and server.text().count("read again") == 5)
            equal(curl(url, *of("impostor")).status, 200, "a client with any certificate")
            curl(url, *trusted, fails=True)
            write(base.replace("server.crt", "prometheus.crt"))  # whose key it isn't
            wait_for("a message", lambda: curl(url, *of("prometheus")) and f"{path}:2: " in server.text())
            equal(curl(url, *of("impostor")).status, 200, "the configuration before the wrong one")
    return "5 configurations"


def prometheus(binary):
    """A real Prometheus scrapes with TLS, a client certificate and a password."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        authority.issue("server", "IP:127.0.0.1")
        authority.issue("client", "DNS:prometheus.example", "clientAuth")
        with open(f"{folder}/web.yml", "w", encoding="utf-8") as file:
            file.write(f"""tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  client_allowed_sans: [prometheus.example]
basic_auth_users:
  scraper: {hashed("secret")}
""")
        with Server(binary, f"--web.config.file={folder}/web.yml") as server:
            port = free_port()
            with open(f"{folder}/prometheus.yml", "w", encoding="utf-8") as file:
                file.write(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: right
    scheme: https
    tls_config: {{ca_file: ca.crt, cert_file: client.crt, key_file: client.key}}
    basic_auth: {{username: scraper, password: secret}}
    static_configs: [{{targets: ["127.0.0.1:{server.port}"]}}]
  - job_name: wrong-password
    scheme: https
    tls_config: {{ca_file: ca.crt, cert_file: client.crt, key_file: client.key}}
    basic_auth: {{username: scraper, password: other}}
    static_configs: [{{targets: ["127.0.0.1:{server.port}"]}}]
  - job_name: no-certificate
    scheme: https
    tls_config: {{ca_file: ca.crt}}
    basic_auth: {{username: scraper, password: secret}}
    static_configs: [{{targets: ["127.0.0.1:{server.port}"]}}]
""")
            log = open(f"{folder}/log", "wb")
            process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

            def query(text):
                address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
                with urllib.request.urlopen(address, timeout=5) as response:
                    return {item["metric"].get("job", ""): float(item["value"][1])
                            for item in json.load(response)["data"]["result"]}

            try:
                wait_for("scrapes", lambda: query("sum_over_time(up[1m])").get("right", 0) >= 5)
                equal(query("up"), {"right": 1, "wrong-password": 0, "no-certificate": 0}, "up")
                # Prometheus asks for OpenMetrics, which has the causes only.
                assert query('count by (job) (example_connections_dropped_total{cause="tls"})') == {"right": 1}
                seconds = query("scrape_duration_seconds")["right"]
            finally:
                process.terminate()
                process.wait(20)
                log.close()
            shutil.rmtree(f"{folder}/data")
    return f"a scrape with TLS takes {seconds * 1000:.1f} ms"
