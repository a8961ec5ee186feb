#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Installs the packages of DIST where nothing is prepared for them: run.py DIST [--only deb,shells,tarball,image,exporter,twice]

As root. Prints one line per check with its figures, and exits with 1 if one failed.
"""
import argparse
import glob
import os
import resource
import subprocess
import sys
import time
import traceback

import exporter
import image
import roots
import twice
from leak import Leak

HERE = os.path.dirname(os.path.abspath(__file__))
# Written by apt and dpkg for any package; everything else must be as it was.
KEPT = ("var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "etc/ld.so.cache", "var/backups/")
# Set in the mount namespace of the tests.
PRIVATE = "TCPSTATE_PACKAGES_PRIVATE"


def say(text):
    print(text, flush=True)


def cpu_seconds():
    """Of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def only(dist, pattern):
    found = [path for path in glob.glob(f"{dist}/{pattern}") if "dbgsym" not in path]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} files {pattern} in {dist}, instead of one")
    return os.path.basename(found[0])


def stuck(root, program, port):
    """The leak is found from inside: its port is in the answer, and the status says so."""
    answer = root.run(program, "stuck", "--older-than", "0s", "-L", str(port), status=1)
    if f"127.0.0.1:{port}" not in answer or "held" not in answer:
        raise AssertionError(f"no answer: {answer}")


def deb(dist):
    """From an empty Debian 12 to the first answer; purge leaves nothing."""
    package = only(dist, "tcpstate-trace_*.deb")
    with roots.Root(roots.debian(), dist) as root, Leak() as leak:
        before, used = root.files(), cpu_seconds()
        start = time.monotonic()
        root.run("apt-get", "install", "-qqy", f"/tmp/dist/{package}")
        installed = time.monotonic()
        stuck(root, "tcpstate-trace", leak.port)
        end = time.monotonic()
        cpu = cpu_seconds() - used
        # A busy machine says little of the time that passes; what it takes of a CPU is the same everywhere.
        if cpu >= 10 or end - start >= 10 and os.getloadavg()[0] <= os.cpu_count():
            raise AssertionError(f"{end - start:.1f} s until the first answer, {cpu:.1f} s of a CPU")
        say(f"deb: installed in {installed - start:.1f} s, first answer after {end - start:.1f} s in all, "
            f"{cpu:.1f} s of a CPU, at a load of {os.getloadavg()[0]:.0f}; "
            f"{os.path.getsize(f'{dist}/{package}') / 1e6:.1f} MB, "
            f"{os.path.getsize(f'{root.path}/usr/bin/tcpstate-trace') / 1e6:.1f} MB installed")
        root.run("tcpstates", "--help")
        if os.readlink(f"{root.path}/etc/alternatives/tcpstates") != "/usr/bin/tcpstate-trace":
            raise AssertionError("tcpstates isn't the alternative")
        root.run("apt-get", "purge", "-qqy", "tcpstate-trace")
        left = sorted(name for name in root.files() ^ before if not name.startswith(KEPT))
        left += glob.glob(f"{root.path}/var/lib/dpkg/**/tcpstate*", recursive=True)
        if left:
            raise AssertionError(f"purge leaves {left}")
        say("deb: purge leaves nothing")


def shells(dist):
    """Man pages and completions, found where the package has put them."""
    with roots.Root(roots.debian_with_shells(), dist) as root:
        root.run("apt-get", "install", "-qqy", f"/tmp/dist/{only(dist, 'tcpstate-trace_*.deb')}")
        pages = root.run("sh", "-c", "dpkg -L tcpstate-trace | grep /share/man/.*gz").split()
        for page in [*pages, "/usr/share/man/man1/tcpstates.1.gz"]:
            # What man prints besides the page is a complaint.
            complaints = root.run("sh", "-c", f"man -l --warnings {page} 2>&1 >/dev/null")
            if complaints:
                raise AssertionError(f"{page}: {complaints}")
        for name in ("tcpstate-trace", "tcpstate-trace-stuck", "tcpstate-trace-columns", "tcpstates"):
            if "SEE ALSO" not in root.run("man", name):
                raise AssertionError(f"man {name}")
        say(f"shells: {len(pages)} man pages")
        for shell in ("bash", "zsh", "fish"):
            subprocess.run([sys.executable, "-B", f"{HERE}/shells.py", shell, "-", root.path], check=True)


def tarball(dist):
    """In a root with busybox alone: no dpkg, no C library."""
    archive = only(dist, "tcpstate-trace-*.tar.gz")
    folder = f"/tmp/{archive.removesuffix('.tar.gz')}"
    with roots.Root(roots.busybox(), dist) as root, Leak() as leak:
        before = root.files()
        start = time.monotonic()
        root.run("tar", "-xzf", f"/tmp/dist/{archive}", "-C", "/tmp")
        root.run(f"{folder}/install.sh", "--tcpstates")
        stuck(root, "/usr/local/bin/tcpstate-trace", leak.port)
        say(f"tarball: first answer after {time.monotonic() - start:.1f} s in all; "
            f"{os.path.getsize(f'{dist}/{archive}') / 1e6:.1f} MB")
        root.run("tcpstates", "--help")
        root.run(f"{folder}/install.sh")  # again, as an update
        root.run("rm", "-r", "/usr/local/share/doc")  # something is missing already
        root.run(f"{folder}/install.sh", "--uninstall")
        root.run(f"{folder}/install.sh", "--uninstall", status=1)
        root.run(f"{folder}/install.sh", "--prefix", "relative", status=1)
        root.run(f"{folder}/install.sh", "--prefix", "/opt/a b/c")
        root.run("/opt/a b/c/bin/tcpstate-trace", "--version")
        root.run(f"{folder}/install.sh", "--prefix=/opt/a b/c", "--uninstall")
        root.run("rm", "-r", folder)
        left = root.files() ^ before - {"usr/local", "opt", "opt/a b", "opt/a b/c"}
        left -= {"usr/local", "opt", "opt/a b", "opt/a b/c"}  # the prefix itself, which may be somebody else's
        if left:
            raise AssertionError(f"uninstalling leaves {sorted(left)}")
        say("tarball: uninstalling leaves nothing")


CHECKS = {"deb": deb, "shells": shells, "tarball": tarball, "image": image.check, "exporter": exporter.check,
          "twice": twice.check}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist")
    parser.add_argument("--only", default=",".join(CHECKS))
    options = parser.parse_args()
    if os.geteuid():
        sys.exit("run.py: needs root")
    # What is mounted goes away with this process, and isn't seen outside.
    if PRIVATE not in os.environ:
        os.environ[PRIVATE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "slave", sys.executable, "-B", *sys.argv])
    failed = 0
    for name in options.only.split(","):
        try:
            CHECKS[name](os.path.abspath(options.dist))
        except (AssertionError, OSError, subprocess.SubprocessError, TimeoutError):
            failed += 1
            say(f"{name}: FAILED\n{traceback.format_exc()}")
    say(f"{len(options.only.split(',')) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
