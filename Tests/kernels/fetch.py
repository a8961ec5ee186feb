# SPDX-License-Identifier: Apache-2.0
"""Fetches Debian packages with apt, under a configuration of its own; nothing is installed.

apt checks the signatures of the lists and the hashes of the packages. Only the
parts of a package that are needed are kept, in the cache folder.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PINS = HERE / "kernels.txt"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = os.environ.get("KERNELS_MIRROR", "http://deb.debian.org")


class FetchError(Exception):
    """Something could not be fetched from Debian: no verdict on the project."""


class Pin:
    """One line of kernels.txt."""

    def __init__(self, line):
        self.name, self.arch, self.series, self.suite, self.package, self.version = line.split()

    def line(self):
        return f"{self.name:<11} {self.arch} {self.series:<4} {self.suite:<19} {self.package} {self.version}"


def pins():
    lines = PINS.read_text().splitlines()
    return [Pin(line) for line in lines if line.strip() and not line.startswith("#")]


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME")
    folder = pathlib.Path(base, "tcpstate-trace", "kernels") if base else REPOSITORY / ".build" / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kernel(pin):
    """The kernel image of a pin, fetched if it is not in the cache."""
    image = cache_folder() / f"{pin.package}_{pin.version}_{pin.arch}.vmlinuz"
    if not image.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
            _download([pin.suite], pin.arch, [f"{pin.package}={pin.version}"], folder)
            found = [path for path in pathlib.Path(folder).rglob("vmlinuz*") if path.is_file()]
            if len(found) != 1:
                raise FetchError(f"{pin.package} {pin.version} has {len(found)} kernel images, not 1")
            found[0].chmod(0o644)
            found[0].replace(image)
    return image


def root_of(name, arch, packages):
    """A folder with the packages of Debian 12 unpacked, such as a sysroot."""
    folder = cache_folder() / f"{name}-{arch}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache_folder()) as temporary:
            _download(["bookworm"], arch, packages, temporary)
            shutil.move(temporary, folder)
            os.mkdir(temporary)  # so that it can be removed
    return folder


def refresh():
    """Rewrites kernels.txt with the newest version of each series."""
    fresh = {pin.name: _newest(pin) for pin in pins()}
    lines = []
    for line in PINS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            line = fresh[Pin(line).name].line()
        lines.append(line)
    PINS.write_text("\n".join(lines) + "\n")


def look_up(mirror):
    """Reads the lists of a mirror, which has to be reachable."""
    with _Apt(["bookworm"], "amd64", mirror):
        pass


def _newest(pin):
    series = re.escape(pin.series + ".") if pin.series != "-" else r"\d+\."
    pattern = rf"^linux-(image|binary)-{series}[^ ]*-cloud-{pin.arch}$"
    with _Apt([pin.suite], pin.arch) as apt:
        names = apt.run("apt-cache", "pkgnames", "linux-").split()
        best = None
        for name in names:
            if not re.match(pattern, name):
                continue
            # The newest packages are split; -image then only depends on the others.
            if name.startswith("linux-image-") and name.replace("image", "binary", 1) in names:
                continue
            for row in apt.run("apt-cache", "madison", name).splitlines():
                version = row.split("|")[1].strip()
                if best is None or _is_newer(version, best[1]):
                    best = (name, version)
    if best is None:
        raise FetchError(f"{pin.suite} has no kernel of the series {pin.series} for {pin.arch}")
    pin.package, pin.version = best
    return pin


def _is_newer(one, other):
    return subprocess.run(["dpkg", "--compare-versions", one, "gt", other]).returncode == 0


def _download(suites, arch, packages, folder):
    """Unpacks packages into a folder."""
    with _Apt(suites, arch) as apt:
        for package in packages:
            apt.run("apt-get", "download", package)
        for package in pathlib.Path(apt.folder).glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, folder], check=True)


class _Apt:
    """apt with its own lists, for some suites and one architecture."""

    def __init__(self, suites, arch, mirror=MIRROR):
        self.suites = suites
        self.arch = arch
        self.mirror = mirror

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="kernels-apt-")
        self.folder = self._temporary.name
        os.chmod(self.folder, 0o755)
        for name in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, name))
        sources = [
            f"deb [signed-by={KEYRING}] {self.mirror}/debian{'-security' if s.endswith('-security') else ''} {s} main"
            for s in self.suites
        ]
        pathlib.Path(self.folder, "sources.list").write_text("\n".join(sources) + "\n")
        pathlib.Path(self.folder, "apt.conf").write_text(
            f"""Dir::State::Lists "{self.folder}/lists";
Dir::State::status "/dev/null";
Dir::Cache "{self.folder}/cache";
Dir::Etc::sourcelist "{self.folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "{self.arch}";
APT::Architectures {{ "{self.arch}"; }};
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
"""
        )
        self.run("apt-get", "update", "-qq")
        return self

    def __exit__(self, *_):
        self._temporary.cleanup()

    def run(self, *command):
        result = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "APT_CONFIG": f"{self.folder}/apt.conf"},
            capture_output=True,
            text=True,
        )
        # To apt an update that failed is only a warning.
        if result.returncode != 0 or "Failed to fetch" in result.stderr:
            lines = (result.stderr.strip() or result.stdout.strip()).splitlines()
            reason = [line for line in lines if line.startswith("E:") or "Failed to fetch" in line] or lines
            raise FetchError(f"{' '.join(command)} ({', '.join(self.suites)}): {''.join(reason[:1])}")
        return result.stdout
