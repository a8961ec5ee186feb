# SPDX-License-Identifier: Apache-2.0
"""What all packages share: the version, the time, the files, and archives that are the same bytes each time."""
import gzip
import hashlib
import io
import os
import re
import subprocess
import tarfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout.strip()


def git(*arguments):
    return run("git", "-C", ROOT, *arguments)


def epoch():
    """SOURCE_DATE_EPOCH, else the time of the commit."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct"))


def number():
    with open(os.path.join(ROOT, "Sources/tcpstate-trace/Messages/Version.swift"), encoding="utf-8") as file:
        return re.search(r'static let number = "([^"]+)"', file.read())[1]


def version():
    """0.2.0 at its tag or outside git, else 0.2.0+git20261130.1fc843642f58, which sorts after it."""
    if not os.path.exists(os.path.join(ROOT, ".git")) or git("tag", "--points-at", "HEAD", f"v{number()}"):
        return number()
    modified = ".modified" if git("status", "--porcelain", "--untracked-files=no") else ""
    date = git("log", "-1", "--format=%cd", "--date=format:%Y%m%d")
    return f"{number()}+git{date}.{git('rev-parse', '--short=12', 'HEAD')}{modified}"


def architecture(binary):
    """Debian's name of the one that the ELF file is for."""
    with open(binary, "rb") as file:
        machine = int.from_bytes(file.read(20)[18:20], "little")
    return {62: "amd64", 183: "arm64"}[machine]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def tar(entries):
    """A tar archive of (name, data or None for a folder, mode), owned by root, of the release's time."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data, mode in entries:
            info = tarfile.TarInfo(name)
            info.mtime, info.mode, info.uname, info.gname = epoch(), mode, "root", "root"
            if data is None:
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def compressed(data):
    return gzip.compress(data, compresslevel=9, mtime=0)


def tree(folder):
    """(path below folder, data, mode) of its files, sorted."""
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            full = os.path.join(path, name)
            yield os.path.relpath(full, folder), read(full), 0o755 if os.access(full, os.X_OK) else 0o644
