# SPDX-License-Identifier: Apache-2.0
"""Root folders to install into: an empty Debian 12, one with shells, and one with busybox alone.

Each is made once, in CACHE; a test gets an overlay over it, so nothing stays. run.py has a mount namespace of its own:
unmounting must not reach the machine's /sys and /dev.
"""
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.abspath(os.path.join(HERE, "..", "..", ".build", "packages"))
SHELLS = ["bash-completion", "fish", "man-db", "zsh"]


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def made(name, make):
    """The folder, made by `make` if it isn't there; half-made ones don't count."""
    folder = f"{CACHE}/{name}"
    if not os.path.exists(f"{folder}.made"):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(CACHE, exist_ok=True)
        make(folder)
        open(f"{folder}.made", "w", encoding="utf-8").close()
    return folder


def debian():
    """Debian 12 with nothing but the essential packages and apt."""
    return made("bookworm", lambda folder: run(
        "debootstrap", "--variant=minbase", "bookworm", folder, "http://deb.debian.org/debian"))


def debian_with_shells():
    def make(folder):
        run("cp", "-a", debian(), folder)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        shutil.copyfile("/etc/resolv.conf", f"{folder}/etc/resolv.conf")
        run("chroot", folder, "apt-get", "-qq", "update", env=environment)
        run("chroot", folder, "apt-get", "-qqy", "install", "--no-install-recommends", *SHELLS, env=environment,
            stderr=subprocess.STDOUT)
    return made("shells", make)


def busybox():
    """No dpkg, no bash, no C library: /bin/busybox and its links."""
    def make(folder):
        for name in ("bin", "dev", "proc", "sys", "tmp", "usr", "root"):
            os.makedirs(f"{folder}/{name}")
        shutil.copy("/bin/busybox", f"{folder}/bin/busybox")
        run("chroot", folder, "/bin/busybox", "--install", "-s", "/bin")
    return made("busybox", make)


class Root:
    """An overlay over `lower`, with /proc, /sys, /dev and a folder /dist of the packages."""

    def __init__(self, lower, dist):
        self.work = tempfile.mkdtemp(prefix="tcpstate-root-")
        run("mount", "-t", "tmpfs", "none", self.work)
        for name in ("upper", "work", "root"):
            os.mkdir(f"{self.work}/{name}")
        self.path = f"{self.work}/root"
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir={lower},upperdir={self.work}/upper,workdir={self.work}/work", self.path)
        os.makedirs(f"{self.path}/tmp/dist")
        run("mount", "--bind", dist, f"{self.path}/tmp/dist")
        for name in ("proc", "sys", "dev"):
            run("mount", "--rbind", f"/{name}", f"{self.path}/{name}")

    def run(self, *command, status=0):
        """Standard output and error of a command inside; it must end with the status."""
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
        process = subprocess.run(["chroot", self.path, *command], env=environment, text=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if process.returncode not in (status if isinstance(status, tuple) else (status,)):
            raise AssertionError(f"{' '.join(command)}: status {process.returncode}\n{process.stdout}")
        return process.stdout

    def files(self):
        """Every path of the root itself, without what is mounted into it."""
        found = run("find", self.path, "-xdev", "-mindepth", "1", "-printf", "%P\n")
        return {name for name in found.splitlines() if not name.startswith("tmp/dist")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in ("dev", "sys", "proc", "tmp/dist", ""):
            subprocess.run(["umount", "-R", "-l", f"{self.path}/{name}"], check=False)
        subprocess.run(["umount", "-l", self.work], check=False)
        os.rmdir(self.work)
