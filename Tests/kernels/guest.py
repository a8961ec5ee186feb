# SPDX-License-Identifier: Apache-2.0
"""A guest: the initramfs it starts from, QEMU, and its console."""

import os
import pathlib
import re
import shutil
import subprocess
import time

import fetch

GUEST = fetch.HERE / "guest"
HEADERS = fetch.REPOSITORY / "Sources" / "CTCPStateEvent" / "include"
TIMEOUT = int(os.environ.get("KERNELS_TIMEOUT", "150"))
SYSROOT = ["libc6-dev", "linux-libc-dev", "libgcc-12-dev", "libbpf-dev", "libelf-dev", "zlib1g-dev"]


class Outcome:
    """The files that a guest has printed."""

    def __init__(self, text, seconds):
        self.seconds = seconds
        self.text = text
        self.files = {}
        self.release = None
        self.status = None
        name = None
        for line in text.splitlines():
            if line.startswith("@@FILE "):
                name = line[7:]
                self.files[name] = []
            elif line == "@@END":
                name = None
            elif name is not None:
                self.files[name].append(line)
            elif match := re.search(r"@@KERNEL (\S+)", line):
                self.release = match[1]
            elif match := re.fullmatch(r"@@EXIT (\d+)", line):
                self.status = int(match[1])

    def lines(self, name):
        return self.files.get(name, [])

    def failure(self):
        """Why the run as such failed; None if it went through."""
        if self.release is None:
            return "the kernel did not come up to its first process"
        if self.status is None:
            return "the guest ended, or was ended, before its last line"
        if self.status != 0:
            return f"the guest's work ended with status {self.status}"
        if self.lines("kernel-trouble"):
            return f"the kernel complained: {self.lines('kernel-trouble')[0]}"
        return None


def boot(arch, kernel, initramfs, arguments=""):
    """Runs a guest to its end and reads its console."""
    common = ["-smp", "1", "-m", "768", "-nographic", "-no-reboot", "-nic", "none", "-monitor", "none"]
    if arch == "amd64":
        machine = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", *common]
        console = "ttyS0"
    else:
        machine = ["qemu-system-aarch64", "-M", "virt", "-cpu", "max,pauth-impdef=on", *common]
        console = "ttyAMA0"
    line = f"console={console} panic=-1 oops=panic quiet loglevel=3 mitigations=off no_timer_check {arguments}"
    began = time.monotonic()
    try:
        result = subprocess.run(
            [*machine, "-kernel", kernel, "-initrd", initramfs, "-append", line],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
        )
        output = result.stdout
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"") + b"\nended: it took too long\n"
    text = output.decode(errors="replace").replace("\r", "")
    return Outcome(text, time.monotonic() - began)


def initramfs(arch, binary, folder):
    """Packs what a guest needs, including the tracer if there is one for its architecture."""
    root = pathlib.Path(folder, f"root-{arch}")
    if arch == "amd64":
        _lay_out(root, GUEST / "steps.tracer", arch)
        _copy_with_libraries(binary, root, "bin/tcpstate-trace")
    else:
        _lay_out(root, GUEST / "steps.probe", arch)
    _compile(arch, ["lives.c", "sockets.c"], root / "bin" / "lives", [])
    _compile(arch, ["probe.c"], root / "bin" / "probe", [f"-I{HEADERS}", "-lbpf", "-lelf", "-lz"])
    _make_object(arch, folder, root)
    return _pack(root)


def small_initramfs(folder, steps):
    """Only init and its steps, for x86-64."""
    root = pathlib.Path(folder, "root")
    _lay_out(root, steps, "amd64")
    return _pack(root)


def _lay_out(root, steps, arch):
    busybox = fetch.root_of("busybox", arch, ["busybox-static"])
    for name in ("bin", "proc", "sys", "dev", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(GUEST / "init", root / "init")
    shutil.copy(steps, root / "steps")
    shutil.copy(busybox / "bin" / "busybox", root / "bin" / "busybox")


def _pack(root):
    archive = root.with_suffix(".cpio")
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with archive.open("wb") as output:
        subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names.encode(), stdout=output, check=True
        )
    return archive


def _copy_with_libraries(binary, root, name):
    shutil.copy(binary, root / name)
    listing = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", listing):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def _make_object(arch, folder, root):
    out = pathlib.Path(folder, f"bpf-{arch}")
    subprocess.run(
        ["make", "-s", "-C", fetch.REPOSITORY / "bpf", f"OUT={out}", "object"]
        + (["ARCH=arm64"] if arch == "arm64" else []),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    shutil.copy(out / "tcpstate.bpf.o", root / "tcpstate.bpf.o")


def _compile(arch, sources, target, flags):
    """A static program, made with this machine's compiler, or for arm64 with the Swift toolchain's clang and lld."""
    command = ["cc"]
    if arch == "arm64":
        sysroot = fetch.root_of("sysroot", arch, SYSROOT)
        swift = pathlib.Path(shutil.which(os.environ.get("SWIFT", "swift"))).resolve().parent
        gcc = sysroot / "usr/lib/gcc/aarch64-linux-gnu/12"
        command = [swift / "clang", "--target=aarch64-linux-gnu", f"--sysroot={sysroot}", "-fuse-ld=lld", f"-B{gcc}"]
        command += [f"-L{gcc}", "-Wno-unused-command-line-argument"]
    command += ["-O2", "-Wall", "-Wextra", "-Werror", "-static", *(GUEST / source for source in sources), "-o", target, *flags]
    subprocess.run(command, check=True)
