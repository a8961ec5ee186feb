# SPDX-License-Identifier: Apache-2.0
"""tcpstate-exporter as its package, tarball and image run it: with the unit's user, rights and socket."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import image
import roots

LIMIT = 60
# What the unit gives: AmbientCapabilities, CapabilityBoundingSet, NoNewPrivileges and User.
RIGHTS = ["setpriv", "--reuid=tcpstate-exporter", "--regid=tcpstate-exporter", "--clear-groups", "--no-new-privs",
          "--inh-caps=-all,+bpf,+perfmon", "--ambient-caps=+bpf,+perfmon", "--bounding-set=-all,+bpf,+perfmon"]


def scraped(port, process):
    """The page, as soon as there is one."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f"it has ended with {process.returncode}: {process.stdout.read()}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"no page in {LIMIT} s")


def scrape_of(command, port, **options):
    """Runs the exporter until it has been scraped once; the page and the seconds."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                               **options)
    try:
        page = scraped(port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    if 'tcpstate_connections{state="close_wait"}' not in page:
        raise AssertionError(page[:2000])
    return page, time.monotonic() - start


def one(pattern):
    found = [path for path in glob.glob(pattern) if "dbgsym" not in path]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} files {pattern}, instead of one")
    return found[0]


def check(dist):
    deb(dist)
    static(dist)
    container(dist)


def deb(dist):
    package = os.path.basename(one(f"{dist}/tcpstate-exporter_*.deb"))
    with roots.Root(roots.debian(), dist) as root, socket.create_server(("127.0.0.1", 0)) as listener:
        shutil.copyfile("/etc/resolv.conf", f"{root.path}/etc/resolv.conf")  # for what makes the user
        root.run("apt-get", "-qq", "update")
        root.run("apt-get", "install", "-qqy", "--no-install-recommends", f"/tmp/dist/{package}")
        root.run("id", "tcpstate-exporter")
        for name in ("service", "socket"):
            root.run("test", "-f", f"/lib/systemd/system/tcpstate-exporter.{name}")
        root.run("sh", "-c", ". /etc/default/tcpstate-exporter")
        number = listener.fileno()
        command = ["chroot", root.path, *RIGHTS, "sh", "-c",
                   f"export LISTEN_PID=$$ LISTEN_FDS=1; exec tcpstate-exporter --web.systemd-socket 3<&{number}"]
        page, seconds = scrape_of(command, listener.getsockname()[1], pass_fds=[number])
        print(f"exporter: package {os.path.getsize(f'{dist}/{package}') / 1e6:.1f} MB; first page after {seconds:.1f} s as "
              f"its user with two capabilities, {page.count(chr(10))} lines", flush=True)
        root.run("apt-get", "purge", "-qqy", "tcpstate-exporter")
        left = [name for name in root.files() if "tcpstate" in name]
        if left:
            raise AssertionError(f"purge leaves {left}")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def static(dist):
    archive = os.path.basename(one(f"{dist}/tcpstate-exporter-*.tar.gz"))
    folder, port = f"/tmp/{archive.removesuffix('.tar.gz')}", free_port()
    with roots.Root(roots.busybox(), dist) as root:
        root.run("tar", "-xzf", f"/tmp/dist/{archive}", "-C", "/tmp")
        root.run(f"{folder}/install.sh")
        _, seconds = scrape_of(
            ["chroot", root.path, "/usr/local/bin/tcpstate-exporter", f"--web.listen-address=127.0.0.1:{port}"], port)
        root.run(f"{folder}/install.sh", "--uninstall")
        print(f"exporter: tarball, first page after {seconds:.1f} s", flush=True)


def container(dist):
    archive, port = one(f"{dist}/tcpstate-exporter-*.oci.tar"), free_port()
    name = image.podman("load", "--quiet", "--input", archive).split()[-1]
    try:
        command = ["podman", "--runtime", "runc", "run", "--rm", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096",
                   *image.RIGHTS, name, f"--web.listen-address=127.0.0.1:{port}"]
        _, seconds = scrape_of(command, port)
        print(f"exporter: image, first page after {seconds:.1f} s", flush=True)
    finally:
        image.podman("rmi", "--force", name)
